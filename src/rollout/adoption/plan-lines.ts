import { modelContainer } from "../../component/deployment.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import { placesOf } from "../../core/model.ts";
import { objectNames, ownLabels } from "../../core/names.ts";
import type { Adoption } from "../record/adoption.ts";
import type { Described } from "./describe.ts";
import type { Discovered } from "./discovered.ts";
import type { PreparedAdoption } from "./prepared.ts";

type Model = Pick<ResolvedConfig, "name" | "router">;

const labelsOf = (labels: Readonly<Record<string, string>>) =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");

/** What taking over would do, line by line. Pure. */
export function adoptionLines(
  model: Model,
  namespace: string,
  found: Discovered,
  { release, blue, green, ingress, unsaid, gained }: Described,
): string[] {
  const names = objectNames(model.name);
  const pods = found.pods.map(({ metadata }) => metadata?.name).join(", ");
  const writes = ingressChanges(found);
  const replicas = found.deployment.spec?.replicas ?? 1;
  return [
    `Becomes blue of ${model.name} in ${namespace}, with all the traffic of ${placesOf(ingress)
      .map(({ host, path }) => `${host}${path}`)
      .join(", ")}:`,
    `  Deployment ${blue.deployment}: ${replicas} ${replicas === 1 ? "replica" : "replicas"} of ${release.image}; its pods (${pods}) run on, their template stays as it is`,
    `  Service ${blue.service}: ${labelsOf(found.selector)}, port ${found.servicePort} to ${found.httpPort}; stays as it is`,
    `  Ingress ${ingress.name}: leads to ${blue.service} as before${writes.length === 0 ? "" : `; ${writes.join("; ")}`}`,
    ...(release.autoscaling === undefined
      ? []
      : [
          `  HorizontalPodAutoscaler ${blue.autoscaler}: ${release.autoscaling.min} to ${release.autoscaling.max} replicas; goes on sizing ${blue.deployment} as before`,
        ]),
    "  Written to them: labels that say who manages them, and who owns their fields",
    "Is made:",
    `  Deployment ${names.deployment.green} with 0 replicas and Service ${names.service.green}: the empty slot green, pods with ${labelsOf(green.selector ?? {})}`,
    ...(model.router === "nginx"
      ? [`  Ingress ${names.canaryIngress} with weight 0: the way to green for previews and switches`]
      : []),
    `  ConfigMap ${names.record}: the rollout record, with what everything was like`,
    "No pod restarts, and no request takes another way. `modelswitch adopt --undo` gives everything back as it was.",
    ...found.warnings.map((warning) => `Note: ${warning}.`),
    ...(unsaid.length === 0
      ? []
      : [
          `Note: what runs has what the configuration does not say (${unsaid.join(", ")}); it keeps that, later releases are without.`,
        ]),
    ...(gained.length === 0
      ? []
      : [
          `Note: pods of later releases also have, as all of modelswitch's: ${gained.join(", ")}; docs/release-contents.md says how to go without.`,
        ]),
    ...renamedLines(model.name, found),
  ];
}

/** What the Ingress says in other words afterwards. */
function ingressChanges({ path, servicePort, leftovers }: Discovered): string[] {
  const port = path.backend?.service?.port?.name;
  return [
    ...(port === undefined ? [] : [`its port "${port}" is written as ${servicePort}, the same port`]),
    ...(leftovers.length === 0
      ? []
      : [`without ${leftovers.join(", ")}, which say nothing on an Ingress that is no canary`]),
  ];
}

/** Names and labels that pods of later releases have otherwise. */
function renamedLines(model: string, { container, deployment, selector, budget }: Discovered): string[] {
  const labels = deployment.spec?.template?.metadata?.labels ?? {};
  const own: Readonly<Record<string, string>> = { ...ownLabels(model), app: model, version: "blue or green" };
  const other = Object.entries(labels).filter(
    ([key, value]) => own[key] !== undefined && selector[key] === undefined && own[key] !== value,
  );
  return [
    ...(container.name === modelContainer
      ? []
      : [`Note: the container is called ${modelContainer} in later releases, and ${container.name} now.`]),
    ...(other.length === 0
      ? []
      : [
          `Note: pods of later releases have other values of the labels ${other.map(([key, value]) => `${key} (${value})`).join(", ")}.`,
        ]),
    ...(budget === undefined
      ? []
      : [
          `Note: the PodDisruptionBudget ${budget.metadata?.name} stays, and is for blue alone; green gets one of its own with release.disruptionBudget.`,
        ]),
  ];
}

/** What `adopt` shows before it asks. Pure. */
export function preparedLines(model: Model, namespace: string, prepared: PreparedAdoption): string[] {
  switch (prepared.state) {
    case "begin":
      return adoptionLines(model, namespace, prepared.found, prepared.described);
    case "resume":
      return [
        `Goes on with what ${prepared.adoption.by} began at ${prepared.adoption.at}: Deployment ${prepared.adoption.deployment.name}, Service ${prepared.adoption.service.name}, Ingress ${prepared.adoption.ingress.name}${autoscalerPart(prepared.adoption)} become blue of ${model.name}.`,
      ];
    case "done":
      return [];
  }
}

/** Names the autoscaler in a list of what is adopted, where there is one. Pure. */
export function autoscalerPart({ autoscaler }: Adoption): string {
  return autoscaler === undefined ? "" : `, HorizontalPodAutoscaler ${autoscaler.name}`;
}
