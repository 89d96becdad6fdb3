import { ownPodLabels } from "../../core/slot-rules/pod.ts";
import type { KubernetesObject } from "../../kubernetes/api.ts";

/** Written by kubectl, controllers and Pulumi about one object: nothing that another one should have. */
const bookkeeping = new Set([
  "kubectl.kubernetes.io/last-applied-configuration",
  "kubectl.kubernetes.io/restartedAt",
  "deployment.kubernetes.io/revision",
  "cloud.google.com/neg-status",
]);

/** Annotations of tools about the object itself: they are no settings of the object, and stay where they are. */
export const toolAnnotation = /^(meta\.helm\.sh|argocd\.argoproj\.io|field\.cattle\.io)\//;

/** Of one object itself, and written by others: never declared for it. */
export function isBookkeeping(key: string): boolean {
  return (
    key === "kubectl.kubernetes.io/last-applied-configuration" || key === "deployment.kubernetes.io/revision"
  );
}

type Texts = Readonly<Record<string, string>>;

/** The metadata of an object that another one of its kind has to have, too. Pure. */
export function keptMetadata({ metadata }: KubernetesObject): {
  readonly labels: Texts;
  readonly annotations: Texts;
} {
  const labels = Object.entries(metadata?.labels ?? {}).filter(([key]) => !ownPodLabels.includes(key));
  return { labels: Object.fromEntries(labels), annotations: keptAnnotations(metadata?.annotations ?? {}) };
}

/** What of it is not said, by name. Pure. */
export function unsaidMetadata(
  what: string,
  found: ReturnType<typeof keptMetadata>,
  said: { readonly labels?: Texts; readonly annotations?: Texts } = {},
): string[] {
  const absent = (kind: string, texts: Texts, given: Texts = {}) =>
    Object.entries(texts)
      .filter(([key, value]) => given[key] !== value)
      .map(([key]) => `${what} ${kind} ${key}`);
  return [
    ...absent("label", found.labels, said.labels),
    ...absent("annotation", found.annotations, said.annotations),
  ];
}

/** What somebody set, and another object of the kind has to have, too. Pure. */
export function keptAnnotations(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter(
      ([key]) => !bookkeeping.has(key) && !key.startsWith("pulumi.com/") && !toolAnnotation.test(key),
    ),
  );
}
