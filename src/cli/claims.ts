import type { Effective } from "../config/file/effective.ts";
import { type ProjectFile, type Target, targetsOf } from "../config/file/project.ts";
import { pathFromConfig } from "../config/file/read.ts";
import { pulumiStack } from "../config/model/resolve.ts";
import type { ModelswitchConfig } from "../config/model/types.ts";
import type { Claims } from "../config/report/conflicts.ts";
import { ingressNames, objectNames } from "../core/names.ts";
import { clusterOf, resolveKubeconfig } from "./kubeconfig.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** The targets that could own what this one owns. Looking at all of them would take long where there are many. */
export function rivalsOf(project: ProjectFile, { target, input }: Effective): Target[] {
  const pulumi = input.pulumi as ModelswitchConfig["pulumi"];
  const sharesProject = pulumi?.project !== undefined;
  return targetsOf(project).filter((other) => {
    if (other.model === target.model) return other.environment !== target.environment;
    return sharesProject || sharesIngress(other.model, target.model);
  });
}

function sharesIngress(a: string, b: string): boolean {
  return ingressNames(objectNames(a)).includes(b) || ingressNames(objectNames(b)).includes(a);
}

/** Where a target's objects and its state are, by what its files say; `undefined` where they are not valid. */
export async function claimsOf(effective: Effective, file: string, env: Env): Promise<Claims | undefined> {
  if (effective.problems.length > 0) return undefined;
  const config = effective.input as unknown as ModelswitchConfig;
  const { target } = effective;
  const kubeconfig =
    config.kubeconfig === undefined ? undefined : pathFromConfig(config.kubeconfig, file, env.HOME);
  // Without the options: they are about this one run, the files about all of them.
  const cluster = await resolveKubeconfig(
    { folder: "", kubeconfigPath: undefined, context: undefined, cluster: undefined },
    env,
    {
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      ...(config.context === undefined ? {} : { context: config.context }),
    },
  )
    .then(clusterOf)
    .catch(() => undefined);
  const namespace = config.namespace ?? cluster?.namespace ?? "default";
  const named = [kubeconfig, config.context].filter((part) => part !== undefined).join(", context ");
  const { project, stack } = pulumiStack(config, config.namespace ?? cluster?.namespace, target.environment);
  return {
    target,
    place: {
      key: JSON.stringify([cluster?.server ?? named, namespace]),
      text: `the namespace ${namespace} of ${cluster?.server ?? (named === "" ? "the same cluster" : named)}`,
    },
    stack: {
      key: JSON.stringify([config.pulumi?.backend ?? "", project, stack]),
      text: `project ${project}, stack ${stack}`,
    },
  };
}
