import { meetsLabels } from "../label-expression.ts";
import type {
  Labels,
  NodeSelectorTerm,
  NodeShape,
  PodSpecShape,
  SelectorRequirement,
  TolerationShape,
} from "./objects.ts";

/** What of a pod says on which nodes it may be. */
export type Placement = Pick<PodSpecShape, "nodeSelector" | "tolerations" | "affinity">;

/** Why a node is none for a pod, in words for people; `undefined`: it is one, as far as labels and taints go. Pure. */
export function whyNotOn(node: NodeShape, pod: Placement): string | undefined {
  const tolerations = pod.tolerations ?? [];
  const cordon = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" } as const;
  if (node.spec?.unschedulable === true && !tolerations.some((one) => tolerates(one, cordon))) {
    return "cordoned";
  }
  const labels = node.metadata?.labels ?? {};
  const wanted = Object.entries(pod.nodeSelector ?? {}).find(([key, value]) => labels[key] !== value);
  if (wanted !== undefined) return `without the label ${wanted[0]}=${wanted[1]}`;
  const required = pod.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  if (required !== undefined) {
    const terms = required.nodeSelectorTerms ?? [];
    if (!terms.some((term) => meets(term, labels, node.metadata?.name ?? ""))) {
      return "against the required node affinity";
    }
  }
  const taint = (node.spec?.taints ?? []).find(
    (one) =>
      (one.effect === "NoSchedule" || one.effect === "NoExecute") &&
      !tolerations.some((toleration) => tolerates(toleration, one)),
  );
  if (taint === undefined) return undefined;
  const value = (taint.value ?? "") === "" ? "" : `=${taint.value}`;
  return `with the taint ${taint.key}${value}:${taint.effect}, which the pods do not tolerate`;
}

function tolerates(
  { key, operator = "Equal", value = "", effect }: TolerationShape,
  taint: { readonly key: string; readonly value?: string; readonly effect: string },
): boolean {
  if ((effect ?? "") !== "" && effect !== taint.effect) return false;
  if ((key ?? "") === "") return operator === "Exists";
  if (key !== taint.key) return false;
  return operator === "Exists" || value === (taint.value ?? "");
}

/** A term without any requirement meets nothing. */
function meets(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  labels: Labels,
  name: string,
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const fields: Labels = { "metadata.name": name };
  return (
    matchExpressions.every((requirement) => holds(requirement, labels)) &&
    matchFields.every((requirement) => holds(requirement, fields))
  );
}

/** Those of nodes know numbers, too. */
function holds(requirement: SelectorRequirement, labels: Labels): boolean {
  const { key, operator, values = [] } = requirement;
  const value = labels[key];
  switch (operator) {
    case "Gt":
      return value !== undefined && Number(value) > Number(values[0]);
    case "Lt":
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return meetsLabels(requirement, labels) ?? false;
  }
}
