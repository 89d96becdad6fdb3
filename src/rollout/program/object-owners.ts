import type { KubernetesObject } from "../../kubernetes/api.ts";

/** A reason why something cannot be taken over, and what to do. */
export interface Obstacle {
  readonly reason: string;
  readonly remedy: string;
}

/** Somebody who writes an object and does not know of modelswitch. */
export interface Owner extends Obstacle {
  /** `refuse`: it would change back or delete what is taken over, by itself. `warn`: only when somebody uses it again. */
  readonly verdict: "refuse" | "warn";
}

/** Who else owns an object, as its labels, annotations and owner references say. Pure. */
export function ownersOf(kind: string, object: KubernetesObject): Owner[] {
  const { name = "", labels = {}, annotations = {}, ownerReferences = [] } = object.metadata ?? {};
  const what = `the ${kind} ${name}`;
  const owners: Owner[] = ownerReferences.map((reference) => ({
    verdict: "refuse",
    reason: `${what} is made by the ${reference.kind} ${reference.name}, which would change it back`,
    remedy: `let that ${reference.kind} go of it, or deploy without it`,
  }));
  if (labels["app.kubernetes.io/managed-by"] === "modelswitch") {
    owners.push({
      verdict: "refuse",
      reason: `${what} is managed by modelswitch already, as part of the model ${labels["app.kubernetes.io/instance"] ?? "?"}`,
      remedy: "use that model's configuration file",
    });
  }
  const argo = annotations["argocd.argoproj.io/tracking-id"] ?? labels["argocd.argoproj.io/instance"];
  if (argo !== undefined) {
    owners.push({
      verdict: "refuse",
      reason: `${what} belongs to the Argo CD application ${argo.split(":")[0]}, which would change it back`,
      remedy: "take it out of the application without pruning, and remove the tracking annotation or label",
    });
  }
  const flux = labels["kustomize.toolkit.fluxcd.io/name"] ?? labels["helm.toolkit.fluxcd.io/name"];
  if (flux !== undefined) {
    owners.push({
      verdict: "refuse",
      reason: `${what} belongs to the Flux object ${flux}, which would change it back`,
      remedy: "take it out of what Flux applies, with pruning disabled, and remove Flux's labels",
    });
  }
  const helm = annotations["meta.helm.sh/release-name"];
  if (helm !== undefined && flux === undefined) {
    owners.push({
      verdict: "warn",
      reason: `${what} belongs to the Helm release ${helm}: a later \`helm upgrade\` would change it back, \`helm uninstall\` would delete it`,
      remedy: "take it out of the chart, with the annotation helm.sh/resource-policy: keep",
    });
  }
  const byPulumi = (object.metadata?.managedFields ?? []).some(
    (entry) =>
      typeof entry === "object" &&
      entry !== null &&
      String(Reflect.get(entry, "manager")).startsWith("pulumi-kubernetes"),
  );
  if (byPulumi || labels["app.kubernetes.io/managed-by"] === "pulumi") {
    owners.push({
      verdict: "warn",
      reason: `${what} was written by a Pulumi program, whose next \`pulumi up\` would change it back`,
      remedy: "take it out of that stack (`pulumi state delete`) and that program",
    });
  }
  return owners;
}
