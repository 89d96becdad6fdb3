import type * as k8s from "@pulumi/kubernetes";
import type { DisruptionBudget } from "../core/release-contents.ts";

type Spec = k8s.types.input.policy.v1.PodDisruptionBudgetSpec;

/**
 * What a slot's PodDisruptionBudget says; `undefined` for none. By default one replica may be missing at a time; a single replica has no
 * budget, since one would keep its node from ever being drained. Pure.
 */
export function disruptionBudgetSpec(
  budget: DisruptionBudget | undefined,
  fewestReplicas: number,
  selector: Readonly<Record<string, string>>,
): Spec | undefined {
  if (budget === false || fewestReplicas === 0) return undefined;
  if (budget === undefined && fewestReplicas < 2) return undefined;
  return {
    ...(budget ?? { maxUnavailable: 1 }),
    selector: { matchLabels: { ...selector } },
    // Pods that don't work can always be evicted: they must not keep a node from being drained.
    unhealthyPodEvictionPolicy: "AlwaysAllow",
  };
}
