import { routerNamed } from "../../component/routers/factory.ts";
import type { ObservedObject, Router } from "../../component/routers/router.ts";
import { defaults } from "../../core/defaults.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import {
  type Claim,
  claimsOnModel,
  describeClaim,
  type IngressLike,
  type WantedRoute,
} from "../../core/ingress-claims.ts";
import { type IngressSpec, placesOf } from "../../core/model.ts";
import type { ObjectNames } from "../../core/names.ts";
import type { Note } from "../../core/note.ts";
import { collectionPath } from "../../core/object-kind.ts";
import { type KubernetesApi, KubernetesApiError } from "../../kubernetes/api.ts";

/** Which Ingresses may be looked at. */
export type Sight = "cluster" | "namespace" | "nothing";

/** What other Ingresses have of a model's hosts and paths, as far as they may be looked at. */
export interface SeenClaims {
  readonly sight: Sight;
  readonly claims: readonly Claim[];
  /** Whether the model has its own Ingress already, where that was seen. */
  readonly exists: boolean;
}

/** The Ingresses of the cluster, else of the namespace; which of them there are depends on what the account may list. */
export async function listIngresses(
  api: KubernetesApi,
  namespace: string,
  signal: AbortSignal,
  timeoutMs = 10_000,
  /** Whose kind of objects is listed. */
  router: Router = routerNamed(defaults.router),
): Promise<{ readonly sight: Sight; readonly objects: readonly IngressLike[] }> {
  const [kind] = router.kinds;
  for (const [sight, path] of [
    ["cluster", collectionPath(kind)],
    ["namespace", collectionPath(kind, namespace)],
  ] as const) {
    try {
      const { items = [] } = await api.json<{ readonly items?: readonly ObservedObject[] }>({
        method: "GET",
        path,
        signal,
        timeoutMs,
      });
      return { sight, objects: items.map((object) => router.claim(object)) };
    } catch (error) {
      // Listing is an optional right.
      if (!(error instanceof KubernetesApiError) || ![401, 403, 404].includes(error.status)) throw error;
    }
  }
  return { sight: "nothing", objects: [] };
}

/** What others have of the hosts and paths that an Ingress of this model asks for. */
export async function seeClaims(
  api: KubernetesApi,
  namespace: string,
  ingress: IngressSpec,
  names: ObjectNames,
  signal: AbortSignal,
  timeoutMs?: number,
  router: Router = routerNamed(defaults.router),
): Promise<SeenClaims> {
  const { sight, objects } = await listIngresses(api, namespace, signal, timeoutMs, router);
  const exists = objects.some(
    ({ metadata }) => metadata?.namespace === namespace && metadata.name === names.ingress,
  );
  return {
    sight,
    exists,
    claims: claimsOnModel(objects, ingress, ownOf(namespace, names, router), router.classOf(ingress)),
  };
}

function ownOf(namespace: string, names: ObjectNames, router: Router): WantedRoute["own"] {
  return { namespace, names: router.refs(names).map(({ name }) => name) };
}

/** What was not looked at, for the end of a sentence; `undefined`: nothing. Pure. */
export function unseen(sight: Sight, namespace: string): string | undefined {
  switch (sight) {
    case "cluster":
      return undefined;
    case "namespace":
      return `only the namespace ${namespace} was looked at, since the account may not list the Ingresses of all`;
    case "nothing":
      return "the account may list no Ingresses";
  }
}

/** Claims on a place that the model has not had so far. Pure. */
export function newlyTaken(claims: readonly Claim[], former: IngressSpec | undefined): Claim[] {
  const had = former === undefined ? [] : placesOf(former);
  return claims.filter(
    ({ wanted }) =>
      !had.some(
        ({ host, path, pathType }) =>
          host === wanted.host && path === wanted.path && pathType === wanted.pathType,
      ),
  );
}

/**
 * What is to be said of others that have the same host and path.
 * @param former the Ingress that the model has; `undefined`: none yet
 * @throws UserError `host-taken` (exit code 2) where one is taken newly, and nobody said that it is meant
 */
export function sharedHostNotes(
  { claims, sight }: Omit<SeenClaims, "exists">,
  about: { readonly model: string; readonly namespace: string; readonly shareHost: boolean },
  former: IngressSpec | undefined,
): Note[] {
  const fresh = newlyTaken(claims, former);
  const taken = fresh.filter(({ relation }) => relation === "same");
  const blind = unseen(sight, about.namespace);
  const more = blind === undefined ? "" : ` More may have it: ${blind}.`;
  if (taken.length > 0 && !about.shareHost) {
    throw new UserError({
      code: "host-taken",
      message: `Others have the host and path that ${about.model} asks for, and nothing but the ingress controller would decide who gets the requests:\n${lines(taken)}`,
      hint: `Choose another host or path, or remove it there first; where they are to share it, pass --share-host.${more}`,
      exitCode: exitCodes.usage,
      details: { claims: taken },
    });
  }
  const shared = claims.filter(({ relation }) => relation === "same");
  const around = fresh.filter(({ relation }) => relation !== "same");
  return [
    ...(shared.length === 0
      ? []
      : [
          {
            code: "host-shared",
            message: `Others have the host and path of ${about.model}, too; the ingress controller decides who gets which request:\n${lines(shared)}`,
            hint: `Remove one of them, or give ${about.model} a host of its own.${more}`,
          },
        ]),
    ...(around.length === 0
      ? []
      : [
          {
            code: "host-overlaps",
            message: `Requests for ${about.model} and for others differ by no more than their path, or a wildcard:\n${lines(around)}`,
            hint: "What is longer wins; look whether each gets what it should.",
          },
        ]),
  ];
}

function lines(claims: readonly Claim[]): string {
  return claims
    .map((claim) => `  ${describeClaim(claim)}, and ${claim.wanted.host}${claim.wanted.path} is asked for`)
    .join("\n");
}

/** What a proof that met answers of neither slot should say of others, line by line. */
export async function strangersAre(
  api: KubernetesApi,
  namespace: string,
  ingress: IngressSpec,
  names: ObjectNames,
  signal: AbortSignal,
  router: Router = routerNamed(defaults.router),
): Promise<string[]> {
  try {
    // Whoever waits for the end of a proof waits no longer for this.
    const { claims, sight } = await seeClaims(api, namespace, ingress, names, signal, 2000, router);
    const blind = unseen(sight, namespace);
    return [
      ...claims.filter(({ relation }) => relation !== "wider").map(describeClaim),
      ...(blind === undefined ? [] : [`whether another Ingress has the host is not known: ${blind}`]),
    ];
  } catch {
    signal.throwIfAborted();
    // A help for the message, which is an error already.
    return [];
  }
}
