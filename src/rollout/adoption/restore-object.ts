import { releaseLabel } from "../../component/deployment.ts";
import { defaults } from "../../core/defaults.ts";
import { ownLabels } from "../../core/names.ts";
import type { KubernetesObject } from "../../kubernetes/api.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Adoption, FoundObject } from "../record/adoption.ts";
import type { RolloutRecord } from "../record/record.ts";
import { type AdoptedKind, adoptedObject, adoptedPath, foundOf, patchAdopted } from "./adopted-objects.ts";
import { giveBackOwners, restore, restored } from "./field-owners.ts";
import type { FoundService } from "./inventory.ts";

export async function restoreObject(
  context: RolloutContext,
  record: RolloutRecord,
  adopted: Adoption,
  kind: AdoptedKind,
): Promise<void> {
  const place = { api: context.api, namespace: context.namespace };
  const adoption = kind === "autoscaler" ? await withAutoscaler(context, adopted) : adopted;
  const found = foundOf(adoption, kind);
  const spec = await specOf(context, record, adoption, kind);
  await patchAdopted(place, adoption, kind, (object) =>
    restore(object, { ...metadataOf(object, record, found), ...(spec === undefined ? {} : { spec }) }),
  );
  // By itself, since whoever changes a field becomes its owner.
  await patchAdopted(place, adoption, kind, (object) => giveBackOwners(object, found));
}

/** The spec that an object gets back; `undefined`: it keeps its own. */
async function specOf(
  context: RolloutContext,
  record: RolloutRecord,
  adoption: Adoption,
  kind: AdoptedKind,
): Promise<unknown> {
  switch (kind) {
    case "deployment":
    case "service":
      return undefined;
    case "ingress":
      return await ingressSpec(context, record, adoption);
    case "autoscaler":
      return adoption.autoscaler?.spec;
  }
}

function metadataOf(
  object: KubernetesObject,
  { model, settings, releases }: RolloutRecord,
  found: FoundObject,
): { labels: Readonly<Record<string, string>>; annotations: Readonly<Record<string, string>> } {
  const { labels = {}, annotations = {} } = object.metadata ?? {};
  const said = [settings.service, ...releases.map(({ spec }) => spec.kubernetes)];
  const declared = [
    ...[...Object.keys(ownLabels(model)), "app", "version", releaseLabel],
    ...said.flatMap((one) => Object.keys(one?.labels ?? {})),
  ];
  const written = [
    ...["pulumi.com/skipAwait", ...Object.keys(settings.ingress.annotations ?? {})],
    ...said.flatMap((one) => Object.keys(one?.annotations ?? {})),
  ];
  return {
    labels: restored(labels, found.labels, declared),
    annotations: restored(annotations, found.annotations, written),
  };
}

/** An adoption whose autoscaler is the one that is there now, made anew where a fixed number of replicas had replaced it. */
async function withAutoscaler({ api, namespace }: RolloutContext, adoption: Adoption): Promise<Adoption> {
  const { autoscaler } = adoption;
  if (autoscaler === undefined) return adoption;
  const path = adoptedPath(namespace, adoption, "autoscaler");
  const { name, labels, annotations, spec } = autoscaler;
  const there =
    (await api.find(path)) ??
    (await api.json<KubernetesObject>({
      method: "POST",
      path: path.slice(0, path.lastIndexOf("/")),
      query: { fieldManager: "modelswitch" },
      body: {
        apiVersion: "autoscaling/v2",
        kind: "HorizontalPodAutoscaler",
        metadata: { name, labels, annotations },
        spec,
      },
    }));
  return { ...adoption, autoscaler: { ...autoscaler, uid: there.metadata?.uid ?? autoscaler.uid } };
}

interface IngressSpecs {
  readonly rules?: readonly {
    readonly http?: { readonly paths?: readonly IngressPath[] };
  }[];
}

interface IngressPath {
  readonly backend?: {
    readonly service?: { readonly port?: { readonly name?: string; readonly number?: number } };
  };
}

/** The Ingress as it was found; where its Service no longer has the port's name, by the port's number. */
async function ingressSpec(
  context: RolloutContext,
  record: RolloutRecord,
  adoption: Adoption,
): Promise<unknown> {
  const place = { api: context.api, namespace: context.namespace };
  const service = (await adoptedObject(place, adoption, "service")) as FoundService | undefined;
  const ports = service?.spec?.ports ?? [];
  const spec = adoption.ingress.spec as IngressSpecs;
  const mended = (path: IngressPath): IngressPath => {
    const port = path.backend?.service?.port;
    const there = ports.some(
      (one) => (port?.name !== undefined && one.name === port.name) || one.port === port?.number,
    );
    if (there || path.backend?.service === undefined) return path;
    const number = record.settings.servicePort ?? defaults.servicePort;
    return { ...path, backend: { ...path.backend, service: { ...path.backend.service, port: { number } } } };
  };
  return {
    ...spec,
    rules: (spec.rules ?? []).map((rule) =>
      rule.http?.paths === undefined
        ? rule
        : { ...rule, http: { ...rule.http, paths: rule.http.paths.map(mended) } },
    ),
  };
}
