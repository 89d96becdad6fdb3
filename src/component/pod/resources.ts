import type * as k8s from "@pulumi/kubernetes";
import type { GpuAmount, ResourceAmounts } from "../../core/release-contents.ts";

type Container = k8s.types.input.core.v1.Container;

export const defaultGpuResource = "nvidia.com/gpu";

/** `resources` of a container; nothing where nothing is asked for. */
export function resourceRequirements(
  amounts: ResourceAmounts | undefined,
  gpus: GpuAmount | undefined,
): Pick<Container, "resources"> {
  if (amounts === undefined && gpus === undefined) return {};
  // Devices are limits; Kubernetes takes the same number as the request.
  const devices =
    gpus === undefined
      ? {}
      : typeof gpus === "number"
        ? { [defaultGpuResource]: String(gpus) }
        : { [gpus.resource]: String(gpus.count) };
  const limits = { ...amounts?.limits, ...devices };
  return {
    resources: {
      ...(amounts?.requests === undefined ? {} : { requests: { ...amounts.requests } }),
      ...(amounts?.limits === undefined && gpus === undefined ? {} : { limits }),
    },
  };
}
