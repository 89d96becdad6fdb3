import type { ReleaseTemplate, ResolvedConfig, RolloutConfig } from "../../src/config/model/types.ts";
import { resolveRollout } from "../../src/config/rollout/rollout.ts";
import { splitOf, type TrafficSplit } from "../../src/core/routing.ts";
import { up } from "../../src/rollout/commands/up.ts";
import type { RolloutContext } from "../../src/rollout/context/context.ts";
import { observeDeployed } from "../../src/rollout/context/deployed.ts";
import { type TestBench, testBench, testConfig } from "./rollout-bench.ts";

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

/** A bench whose model is up; nothing has been written since. */
export async function benchWithModel(config?: ResolvedConfig): Promise<TestBench> {
  const bench = testBench();
  await up(bench.context(config), noFlags);
  bench.stack.operations.length = 0;
  bench.moves.length = 0;
  return bench;
}

/** What `release` takes: two replicas of this image. */
export const to = (image: string) => ({ template: { image, replicas: 2 } });

/** How many replicas each slot's Deployment has now. */
export async function replicasNow(context: RolloutContext) {
  const { observation } = await observeDeployed(context);
  return {
    blue: observation.slots.blue.deployment?.desiredReplicas,
    green: observation.slots.green.deployment?.desiredReplicas,
  };
}

/** Every routing that was written, in order. */
export function routingsOf(bench: TestBench): string[] {
  return bench.moves.map(({ main, candidate, weight }) => `${main}|${candidate}@${weight}`);
}
