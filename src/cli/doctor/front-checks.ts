import { routerNamed } from "../../component/routers/factory.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import type { Clock } from "../../core/clock.ts";
import { configuredNames } from "../../core/names.ts";
import type { Connection } from "../../kubernetes/connect.ts";
import { type Check, skipped, type Verdict } from "./check.ts";
import { type AnswerWorld, askIngressOnce, guardsVerdict, liveIngress } from "./ingress-checks.ts";

type FrontWorld = Pick<AnswerWorld, "probe" | "env" | "lookup"> & { readonly clock: Clock };

/** What stands in front of the model, by its annotations and by what one request meets. */
export function frontChecks(
  world: FrontWorld,
  { run, reached, model, namespace }: FrontChecksInput,
): Promise<Check>[] {
  const check = (
    name: string,
    title: string,
    work: (
      model: ResolvedConfig,
      api: Connection["api"],
      live: Awaited<ReturnType<typeof liveIngress>>,
      signal: AbortSignal,
    ) => Promise<Verdict> | Verdict,
  ) =>
    reached.then((there) =>
      run(name, title, async (signal) => {
        if (model === undefined) return skipped("no valid configuration");
        if (there === undefined) return skipped("no cluster is reached");
        const live = await liveIngress(
          there.api,
          namespace,
          configuredNames(model).ingress,
          signal,
          routerNamed(model.router),
        );
        return await work(model, there.api, live, signal);
      }),
    );
  return [
    check("ingress-guards", "Limits at the ingress", (config, _api, live) => guardsVerdict(config, live)),
    check("ingress-answer", "Answer of the ingress", (config, api, live, signal) =>
      askIngressOnce(config, live, {
        api,
        namespace,
        probe: world.probe,
        env: world.env,
        lookup: world.lookup,
        now: () => world.clock.now(),
        signal,
      }),
    ),
  ];
}

interface FrontChecksInput {
  readonly run: (
    name: string,
    title: string,
    work: (signal: AbortSignal) => Promise<Verdict>,
  ) => Promise<Check>;
  readonly reached: Promise<Connection | undefined>;
  readonly model: ResolvedConfig | undefined;
  readonly namespace: string;
}
