import { resolveConfig, type Surroundings } from "../config/model/resolve.ts";
import type { ModelswitchConfig, ResolvedConfig } from "../config/model/types.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import { liveSlot, settledOn } from "../core/routing.ts";
import { slots } from "../core/slots.ts";
import { type RolloutRecord, releaseOf } from "../rollout/record/record.ts";
import type { CommandContext } from "./command.ts";
import { contextNamespace, resolveKubeconfig } from "./kubeconfig.ts";

/**
 * The configuration of a model whose file is not here, from what the cluster remembers of it: enough to lead traffic back, and to
 * look. `undefined`: no model is named, so none is meant.
 * @throws UserError `not-deployed` (exit code 2), and what choosing a cluster throws
 */
export async function configFromCluster({
  globals,
  env,
  signal,
}: Pick<CommandContext, "globals" | "env" | "signal">): Promise<ResolvedConfig | undefined> {
  if (globals.model === undefined || globals.configPath !== undefined) return undefined;
  const kubeconfig = await resolveKubeconfig(globals, env);
  const namespace = (await contextNamespace(kubeconfig)) ?? "default";
  const [{ connect }, { RecordStore }, { abortableReads }] = await Promise.all([
    import("../kubernetes/connect.ts"),
    import("../rollout/record/record-store.ts"),
    import("../kubernetes/abortable.ts"),
  ]);
  const api = abortableReads(connect(kubeconfig).api, signal);
  const record = await new RecordStore(api, namespace, globals.model).read();
  if (record === undefined) {
    throw new UserError({
      code: "not-deployed",
      message: `There is no configuration file here, and no record of a model ${globals.model} in the namespace ${namespace}.`,
      hint: "Go to the folder of its modelswitch.config, or choose the cluster and namespace by --context: the namespace is the context's.",
      exitCode: exitCodes.usage,
    });
  }
  const file = `${globals.folder}/modelswitch.config.ts`;
  const config = configOfRecord(record, { file, kubeconfig, contextNamespace: namespace });
  // Whoever names another environment than the model's is told so.
  return globals.environment === undefined ? config : { ...config, environment: globals.environment };
}

/** What a record says in the words of a configuration. Pure. */
export function configOfRecord(record: RolloutRecord, around: Surroundings): ResolvedConfig {
  const { settings, rollout, rollouts = [], model, history } = record;
  const hasReleases = rollout !== undefined || rollouts.length > 0 || record.releases.length === 1;
  const specs = slots.map((slot) => ({
    ...releaseOf(record, slot)?.spec,
    replicas: settings.replicas[slot],
  }));
  const [blue = {}, green = {}] = specs;
  const newest = record.releases.at(-1)?.spec;
  const config: ModelswitchConfig = {
    name: model,
    server: settings.server,
    ingress: {
      ...settings.ingress,
      ...(settings.endpoints === undefined ? {} : { endpoints: settings.endpoints }),
    },
    router: settings.router,
    previewHeader: settings.previewHeader,
    ...(settings.routing === undefined ? {} : { routing: settings.routing }),
    live: history.at(-1)?.to ?? liveSlot(settledOn("blue")),
    // In the cluster the state is found by the names of its stack; a backend takes credentials that only the configuration names.
    ...(record.state?.backend === null
      ? { pulumi: { project: record.state.project, stack: record.state.stack } }
      : {}),
    ...(settings.identity === undefined ? {} : { identity: settings.identity }),
    ...(settings.servicePort === undefined ? {} : { servicePort: settings.servicePort }),
    ...(hasReleases && newest?.image !== undefined
      ? {
          release: { ...newest, image: newest.image },
          ...(rollout === undefined ? {} : { idleReplicas: rollout.plan.idleReplicas }),
        }
      : { slots: { blue, green } }),
  };
  return {
    ...resolveConfig(config, around),
    remembered: true,
    ...(record.environment === null ? {} : { environment: record.environment }),
  };
}
