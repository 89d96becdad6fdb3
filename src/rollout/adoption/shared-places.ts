import { claimsOnModel, describeClaim, type IngressLike } from "../../core/ingress-claims.ts";
import { unseen } from "../ingress/shared-hosts.ts";
import type { FoundPath, Inventory } from "./inventory.ts";

/** One host and path of an Ingress. */
export interface FoundPlace {
  readonly host: string;
  readonly path: FoundPath;
}

/** Others that have the same hosts and paths get some of the requests now, too, and go on to. Pure. */
export function sharedPlaces(
  name: string,
  places: readonly FoundPlace[],
  className: string,
  { everyIngress, ingresses, namespace }: Inventory,
): string[] {
  const objects: readonly IngressLike[] =
    everyIngress ??
    ingresses.map(
      ({ metadata = {}, spec = {} }) => ({ spec, metadata: { namespace, ...metadata } }) as IngressLike,
    );
  const [{ host, path } = { host: "", path: {} }, ...also] = places;
  const said = (at: FoundPath) => ({ path: at.path ?? "/", pathType: typeOf(at.pathType) });
  const claims = claimsOnModel(
    objects,
    {
      className,
      host,
      ...said(path),
      also: also.map((place) => ({ host: place.host, ...said(place.path) })),
    },
    { namespace, names: [name] },
  );
  const blind = unseen(everyIngress === undefined ? "namespace" : "cluster", namespace);
  return [
    ...claims
      .filter(({ relation }) => relation === "same")
      .map((claim) => `${describeClaim(claim)}, too: the ingress controller decides who gets which request`),
    ...(blind === undefined ? [] : [`whether another Ingress has the host is not known for sure: ${blind}`]),
  ];
}

function typeOf(type: string | undefined): "Prefix" | "Exact" | "ImplementationSpecific" {
  return type === "Exact" || type === "ImplementationSpecific" ? type : "Prefix";
}
