import { randomBytes, randomUUID } from "node:crypto";
import { isFields } from "../core/fields.ts";
import type { KubernetesObject } from "../kubernetes/api.ts";
import { fieldOwners, ownedPart } from "../kubernetes/managed-fields.ts";
import { kubernetesProviderVersion } from "./provider.ts";
import { parseState, type StateResource } from "./state-file.ts";

/** An object of the cluster that is to become a resource of a stack as it is. */
export interface TakenObject {
  /** Pulumi's type, for example `kubernetes:core/v1:Service`. */
  readonly type: string;
  /** Name of the resource in the program. */
  readonly name: string;
  readonly live: KubernetesObject;
}

/** The component that the resources are children of. */
export interface TakenParent {
  readonly type: string;
  readonly name: string;
}

export interface TakeIn {
  readonly parent: TakenParent;
  readonly objects: readonly TakenObject[];
}

/** `urn:pulumi:STACK::PROJECT::PARENT_TYPE$TYPE::NAME`. */
function urnOf(about: { readonly project: string; readonly stack: string }, type: string, name: string) {
  return `urn:pulumi:${about.stack.split("/").at(-1)}::${about.project}::${type}::${name}`;
}

/**
 * The exported state with the objects in it as the provider would have left them, and the URNs of those that are new. What is
 * declared of them is what Pulumi wrote into them before: a default of the API server that became an input would be a difference
 * later, and one of an immutable field a replacement.
 */
export function takenIn(
  exported: string,
  about: { readonly project: string; readonly stack: string },
  { parent, objects }: TakeIn,
): { readonly state: string; readonly urns: readonly string[] } {
  const value = JSON.parse(exported) as { deployment?: Record<string, unknown> };
  const { resources } = parseState(exported);
  const known = new Set(resources.map(({ urn }) => urn));
  const stackUrn = urnOf(about, "pulumi:pulumi:Stack", `${about.project}-${about.stack.split("/").at(-1)}`);
  const parentUrn = urnOf(about, parent.type, parent.name);
  const provider = resources.find(
    ({ type, urn }) => type === "pulumi:providers:kubernetes" && /::default_[\d_]+$/.test(urn),
  );
  const providerUrn =
    provider?.urn ??
    urnOf(about, "pulumi:providers:kubernetes", `default_${kubernetesProviderVersion.replaceAll(".", "_")}`);
  const providerId = provider?.id ?? randomUUID();
  const now = new Date().toISOString();
  const times = { created: now, modified: now };
  const version = { version: kubernetesProviderVersion };
  const roots = [
    { urn: stackUrn, custom: false, type: "pulumi:pulumi:Stack", ...times },
    {
      urn: providerUrn,
      custom: true,
      id: providerId,
      type: "pulumi:providers:kubernetes",
      inputs: version,
      outputs: version,
      ...times,
    },
    { urn: parentUrn, custom: false, type: parent.type, parent: stackUrn, ...times },
  ].filter(({ urn }) => !known.has(urn));
  const taken = objects.flatMap(({ type, name, live }): (StateResource & Record<string, unknown>)[] => {
    const urn = urnOf(about, `${parent.type}$${type}`, name);
    if (known.has(urn)) return [];
    const { namespace, name: objectName = "" } = live.metadata ?? {};
    const inputs = declaredPart(live);
    return [
      {
        urn,
        custom: true,
        id: namespace === undefined ? objectName : `${namespace}/${objectName}`,
        type,
        inputs,
        outputs: {
          ...live,
          __fieldManager: fieldManagerOf(live),
          __initialApiVersion: live.apiVersion,
          __inputs: inputs,
        },
        parent: parentUrn,
        provider: `${providerUrn}::${providerId}`,
        ...times,
      },
    ];
  });
  const all = [...roots.filter(({ urn }) => urn === stackUrn), ...resources];
  const others = roots.filter(({ urn }) => urn !== stackUrn);
  return {
    state: JSON.stringify({
      ...value,
      deployment: { ...value.deployment, resources: [...all, ...others, ...taken] },
    }),
    urns: taken.map(({ urn }) => urn),
  };
}

/** Names under which Pulumi's provider writes; the last one is given to fields that it is to take over. */
const writers = /^(pulumi-|before-first-apply$)/;

/** What Pulumi has declared of an object, and what no object of its kind is without. */
function declaredPart(live: KubernetesObject): Readonly<Record<string, unknown>> {
  const written = fieldOwners(live)
    .filter(({ manager, subresource }) => writers.test(manager) && subresource === "")
    .map(({ fields }) => ownedPart(live, fields))
    .reduce<unknown>((sum, part) => merged(sum, part), {});
  const { apiVersion, kind, metadata, spec } = live;
  const selector = (spec as { readonly selector?: unknown } | undefined)?.selector;
  const identity = {
    apiVersion,
    kind,
    metadata: {
      name: metadata?.name,
      ...(metadata?.namespace === undefined ? {} : { namespace: metadata.namespace }),
    },
    ...(selector === undefined ? {} : { spec: { selector } }),
  };
  return merged(written, identity) as Readonly<Record<string, unknown>>;
}

/** Both, the second one's values where they differ; items of lists are those of the fuller list. */
function merged(a: unknown, b: unknown): unknown {
  if (a === undefined) return b;
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length
      ? a.map((item, index) => merged(item, b[index]))
      : a.length > b.length
        ? a
        : b;
  }
  if (!isFields(a) || !isFields(b)) return b;
  const result: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b)) result[key] = merged(a[key], value);
  return result;
}

/** The one that owns fields of it now: as another one, Pulumi would quarrel with its former self. */
function fieldManagerOf(live: KubernetesObject): string {
  const applied = fieldOwners(live).filter(
    ({ manager, operation, subresource }) =>
      operation === "Apply" && subresource === "" && manager.startsWith("pulumi-kubernetes-"),
  );
  const [newest] = applied.toSorted((a, b) => (b.time ?? "").localeCompare(a.time ?? ""));
  return newest?.manager ?? `pulumi-kubernetes-${randomBytes(4).toString("hex")}`;
}
