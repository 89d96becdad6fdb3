import type * as k8s from "@pulumi/kubernetes";
import type { PodSettings } from "../../core/release-contents.ts";

type PodSpec = k8s.types.input.core.v1.PodSpec;

/** Where the pods run, and as whom. */
export function scheduling(
  settings: PodSettings | undefined,
  selector: Readonly<Record<string, string>>,
): Partial<PodSpec> {
  const {
    nodeSelector,
    tolerations,
    affinity,
    topologySpread,
    serviceAccount,
    mountServiceAccountToken,
    priorityClass,
    runtimeClass,
    imagePullSecrets,
  } = settings ?? {};
  return {
    automountServiceAccountToken: mountServiceAccountToken ?? false,
    ...(nodeSelector === undefined ? {} : { nodeSelector: { ...nodeSelector } }),
    ...(tolerations === undefined
      ? {}
      : { tolerations: tolerations.map((toleration) => ({ ...toleration })) }),
    ...(affinity === undefined ? {} : { affinity }),
    ...(topologySpread === undefined
      ? {}
      : {
          topologySpreadConstraints: topologySpread.map((spread) => ({
            topologyKey: spread.topologyKey,
            maxSkew: spread.maxSkew ?? 1,
            whenUnsatisfiable: spread.whenUnsatisfiable ?? "ScheduleAnyway",
            labelSelector: { matchLabels: { ...selector } },
            // Pods of the former template, which are about to go, don't count.
            matchLabelKeys: ["pod-template-hash"],
          })),
        }),
    ...(serviceAccount === undefined ? {} : { serviceAccountName: serviceAccount }),
    ...(priorityClass === undefined ? {} : { priorityClassName: priorityClass }),
    ...(runtimeClass === undefined ? {} : { runtimeClassName: runtimeClass }),
    ...(imagePullSecrets === undefined
      ? {}
      : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
  };
}
