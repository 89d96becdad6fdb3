import { modelContainer } from "../../component/deployment.ts";
import type { Autoscaling } from "../../core/release-contents.ts";
import type { Obstacle } from "../program/object-owners.ts";
import { keptMetadata, unsaidMetadata } from "../record/bookkeeping.ts";
import { canonicalJson } from "../record/canonical-json.ts";
import type { FoundAutoscaler, FoundDeployment, FoundMetric, Inventory } from "./inventory.ts";

type Note = (found: Obstacle | undefined) => void;

/** The fields of an autoscaler that the configuration can say. */
const sayable = ["scaleTargetRef", "minReplicas", "maxReplicas", "metrics", "behavior"];

/** What sets the number of replicas of a Deployment; notes what of it the configuration could not say. Pure. */
export function autoscalerOf(
  { metadata, spec: runs }: FoundDeployment,
  { autoscalers = [], namespace }: Inventory,
  note: Note,
): FoundAutoscaler | undefined {
  const name = metadata?.name ?? "";
  const [found, ...others] = autoscalers.filter(
    ({ spec }) => spec?.scaleTargetRef?.kind === "Deployment" && spec.scaleTargetRef.name === name,
  );
  if (found === undefined) return undefined;
  if (others.length > 0) {
    const names = [found, ...others].map((one) => one.metadata?.name).join(", ");
    note({
      reason: `${others.length + 1} HorizontalPodAutoscalers (${names}) set the replicas of ${name}, against each other`,
      remedy: "delete all but one of them; the replicas stay",
    });
  }
  const about = `the HorizontalPodAutoscaler ${found.metadata?.name}`;
  const { minReplicas, metrics = [] } = found.spec ?? {};
  if (minReplicas === 0) {
    note({
      reason: `${about} has spec.minReplicas 0, and a slot with traffic has at least one replica`,
      remedy: `raise it: kubectl --namespace ${namespace} patch hpa ${found.metadata?.name} --patch '{"spec":{"minReplicas":1}}'`,
    });
  }
  for (const field of Object.keys(found.spec ?? {})) {
    if (sayable.includes(field)) continue;
    note({
      reason: `${about} has spec.${field}, which the configuration cannot say`,
      remedy: "remove that field from it",
    });
  }
  for (const [index, { resource, containerResource }] of metrics.entries()) {
    const of = resource?.name ?? "";
    const without = (runs?.template?.spec?.containers ?? []).filter(
      ({ resources }) => resources?.requests?.[of] === undefined && resources?.limits?.[of] === undefined,
    );
    if (resource?.target?.averageUtilization !== undefined && without.length > 0) {
      note({
        reason: `${about} aims at ${resource.target.averageUtilization} % of the requested ${of} (spec.metrics[${index}].resource), which the containers ${without.map((one) => one.name).join(", ")} of ${name} do not request, so that it sizes nothing`,
        remedy: `request ${of} there, or delete that metric`,
      });
    }
    const container = containerResource?.container;
    if (container === undefined || container === modelContainer) continue;
    note({
      reason: `${about} measures the container ${container} (spec.metrics[${index}].containerResource.container), which pods of later releases do not have: theirs is called ${modelContainer}`,
      remedy: "let it measure the whole pod: type Resource instead of ContainerResource",
    });
  }
  return found;
}

/** An autoscaler in the words of the configuration; written from them it is the same again. Pure. */
export function autoscalingOf(found: FoundAutoscaler): Autoscaling {
  const { labels, annotations } = keptMetadata(found);
  const { minReplicas = 1, maxReplicas = minReplicas, metrics = [], behavior } = found.spec ?? {};
  const cpu = utilizationOf("cpu", metrics[0]);
  const memory = utilizationOf("memory", metrics[cpu === undefined ? 0 : 1]);
  const said = (cpu === undefined ? 0 : 1) + (memory === undefined ? 0 : 1);
  const others = metrics.slice(said);
  return {
    min: minReplicas,
    max: maxReplicas,
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
    ...(others.length === 0 ? {} : { metrics: others }),
    ...(behavior === undefined ? {} : { behavior }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
  };
}

/** What of the found autoscaler green's would be without. Pure. */
export function lostOfAutoscaler(
  found: FoundAutoscaler | undefined,
  autoscaling: Autoscaling | undefined,
): string[] {
  return found === undefined ? [] : unsaidMetadata("autoscaler", keptMetadata(found), autoscaling);
}

/** The per cent that a metric aims at, where it is nothing but that. */
function utilizationOf(name: string, metric: FoundMetric | undefined): number | undefined {
  const percent = metric?.resource?.target?.averageUtilization;
  const plain = {
    type: "Resource",
    resource: { name, target: { type: "Utilization", averageUtilization: percent } },
  };
  return percent !== undefined && canonicalJson(metric) === canonicalJson(plain) ? percent : undefined;
}
