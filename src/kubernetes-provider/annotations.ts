import { annotation } from "./objects.ts";
import type { PropertyMap } from "./struct.ts";

/** Annotations with which a program steers the provider; the official provider's own. */
export const annotations = {
  autonamed: "pulumi.com/autonamed",
  skipAwait: "pulumi.com/skipAwait",
  waitFor: "pulumi.com/waitFor",
  timeoutSeconds: "pulumi.com/timeoutSeconds",
  replaceUnready: "pulumi.com/replaceUnready",
  patchForce: "pulumi.com/patchForce",
  patchFieldManager: "pulumi.com/patchFieldManager",
  deletionPropagation: "pulumi.com/deletionPropagationPolicy",
  revision: "deployment.kubernetes.io/revision",
  lastApplied: "kubectl.kubernetes.io/last-applied-configuration",
} as const;

export function isTrue(object: PropertyMap, key: string): boolean {
  return annotation(object, key) === "true";
}

/** How long to wait: `customTimeouts` in seconds, then the annotation, then ten minutes. */
export function timeoutMs(customSeconds: number, inputs: PropertyMap): number {
  if (customSeconds > 0) return customSeconds * 1000;
  const seconds = Number.parseInt(annotation(inputs, annotations.timeoutSeconds), 10);
  return (Number.isFinite(seconds) && seconds > 0 ? seconds : 600) * 1000;
}

export function deletionPropagation(inputs: PropertyMap): "Foreground" | "Background" | "Orphan" {
  switch (annotation(inputs, annotations.deletionPropagation).toLowerCase()) {
    case "orphan":
      return "Orphan";
    case "background":
      return "Background";
    default:
      return "Foreground";
  }
}
