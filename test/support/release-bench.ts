import type { ReleaseTemplate, ResolvedConfig, RolloutConfig } from "../../src/config/model/types.ts";
import { resolveRollout } from "../../src/config/rollout/rollout.ts";
import { splitOf, type TrafficSplit } from "../../src/core/routing.ts";
import type { RolloutContext } from "../../src/rollout/context/context.ts";
import { observeDeployed } from "../../src/rollout/context/deployed.ts";
import { testConfig } from "./rollout-bench.ts";

/** Flags of an `up` that nothing special is asked of. */
export const noFlags = { allowLiveChange: false, allowLiveStop: false, createNamespace: false };

/** A model with a template: `up` makes release 1 of it in blue, and green is empty. It drains for 20 s unless said otherwise. */
export function templateConfig(
  rollout: RolloutConfig = {},
  release: ReleaseTemplate = { image: "fraud:1", replicas: 2 },
): ResolvedConfig {
  return testConfig({
    runs: { form: "template", release, idleReplicas: 0 },
    rollout: resolveRollout({ drain: 20, ...rollout }),
  });
}

/** The shares of clients' traffic now. */
export async function splitNow(context: RolloutContext): Promise<TrafficSplit> {
  return splitOf((await observeDeployed(context)).routing);
}
