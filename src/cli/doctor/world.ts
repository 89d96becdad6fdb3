import { findConfigFile, readConfig } from "../../config/file/read.ts";
import { resolveConfig } from "../../config/model/resolve.ts";
import { UserError } from "../../core/errors.ts";
import { connect } from "../../kubernetes/connect.ts";
import { probe } from "../../rollout/proof/probe.ts";
import type { CommandContext } from "../command.ts";
import { resolveKubeconfig } from "../kubeconfig.ts";
import { clusterFor, requestOf } from "../load-config.ts";
import { findProvider } from "./provider.ts";
import type { DoctorWorld } from "./run-checks.ts";
import type { HostMachine, PulumiFacts } from "./verdicts.ts";

/** The world as it is. */
export function realWorld(context: CommandContext): DoctorWorld {
  const { globals, env } = context;
  return {
    clock: context.clock,
    probe,
    env,
    nodeVersion: process.versions.node,
    readConfig: async () =>
      (await findConfigFile(globals)) === undefined ? undefined : readConfig(requestOf(globals, env)),
    connect: async (read) =>
      connect(await (read === undefined ? resolveKubeconfig(globals, env) : clusterFor(read, globals, env))),
    resolve: (read, connection) =>
      resolveConfig(read.config, {
        file: read.file,
        kubeconfig: {},
        contextNamespace: connection?.namespace,
        environment: read.environment,
      }),
    pulumi: (signal) => findPulumi(env, signal),
    provider: (signal) => findProvider(env, signal),
    machine: () => lookAtMachine(env),
    lookup: async (host) => {
      const { lookupInTime } = await import("../../rollout/observe/lookup.ts");
      return (await lookupInTime(host)).map(({ address }) => address);
    },
  };
}

async function findPulumi(env: CommandContext["env"], signal: AbortSignal): Promise<PulumiFacts> {
  const [{ ensureRecipe }, { recipes }, { which }] = await Promise.all([
    import("../../tools/ensure.ts"),
    import("../../tools/recipes/index.ts"),
    import("../../tools/find-on-path.ts"),
  ]);
  const recipe = recipes.pulumi;
  const about = {
    sources: recipe.sources.map(({ title }) => title),
    goInstalled: (await which("go", env)) !== undefined,
  };
  if ((env.MODELSWITCH_PULUMI ?? "") !== "") {
    return {
      ...about,
      found: { path: env.MODELSWITCH_PULUMI ?? "", version: "", origin: "MODELSWITCH_PULUMI" },
    };
  }
  try {
    // Without sources only the cache and PATH are looked at: nothing is downloaded or built.
    const tool = await ensureRecipe({ ...recipe, sources: [] }, { signal, progress: () => {} }, { env });
    return {
      ...about,
      found: { path: tool.programs.pulumi ?? "", version: tool.version, origin: tool.origin },
    };
  } catch (error) {
    if (error instanceof UserError && error.code === "tool-unavailable")
      return { ...about, found: undefined };
    throw error;
  }
}

async function lookAtMachine(env: CommandContext["env"]): Promise<HostMachine> {
  const [{ localClustersIfInstalled }, { which }] = await Promise.all([
    import("../local-clusters.ts"),
    import("../../tools/find-on-path.ts"),
  ]);
  const names = ["ip", "nsenter", "go", "apt-get"];
  const there = await Promise.all(names.map((name) => which(name, env, { system: true })));
  const programs = names.filter((_, index) => there[index] !== undefined);
  const clusters = await localClustersIfInstalled(env);
  return { programs, host: clusters?.host() };
}
