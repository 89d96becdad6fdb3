import type * as k8s from "@pulumi/kubernetes";
import type { Autoscaling } from "../core/release-contents.ts";

type Spec = k8s.types.input.autoscaling.v2.HorizontalPodAutoscalerSpec;
type Metric = k8s.types.input.autoscaling.v2.MetricSpec;

/** Per cent of the requested CPU where nothing else is said. */
const defaultCpu = 80;

/** What a slot's HorizontalPodAutoscaler says. Pure. */
export function autoscalerSpec(deployment: string, autoscaling: Autoscaling): Spec {
  const { min, max, cpu, memory, metrics, behavior } = autoscaling;
  const byDefault = cpu === undefined && memory === undefined && metrics === undefined;
  return {
    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
    minReplicas: min,
    maxReplicas: max,
    metrics: [
      ...utilization("cpu", byDefault ? defaultCpu : cpu),
      ...utilization("memory", memory),
      // As in autoscaling/v2; the API server checks them.
      ...((metrics ?? []) as readonly Metric[]),
    ],
    ...(behavior === undefined ? {} : { behavior }),
  };
}

function utilization(name: string, percent: number | undefined): Metric[] {
  if (percent === undefined) return [];
  return [
    { type: "Resource", resource: { name, target: { type: "Utilization", averageUtilization: percent } } },
  ];
}
