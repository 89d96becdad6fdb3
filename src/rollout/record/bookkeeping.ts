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

/** What somebody set, and another object of the kind has to have, too. Pure. */
export function keptAnnotations(annotations: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(annotations).filter(
      ([key]) => !bookkeeping.has(key) && !key.startsWith("pulumi.com/") && !toolAnnotation.test(key),
    ),
  );
}
