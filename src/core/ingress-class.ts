import { nearest } from "./nearest.ts";

/** An IngressClass of a cluster. */
export interface IngressClassShape {
  readonly metadata?: {
    readonly name?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: { readonly controller?: string };
}

export type IngressClassVerdict =
  | { readonly kind: "exists"; readonly controller: string }
  /** Whether somebody serves it cannot be seen. */
  | { readonly kind: "unknown"; readonly why: string }
  | { readonly kind: "missing"; readonly message: string; readonly hint: string };

/**
 * Whether a cluster has the class that an Ingress names. Pure.
 * @param annotated named by the annotation `kubernetes.io/ingress.class`, which needs no IngressClass
 * @param classes `undefined`: this account may not list them
 */
export function ingressClassVerdict(
  wanted: string,
  annotated: boolean,
  classes: readonly IngressClassShape[] | undefined,
): IngressClassVerdict {
  if (classes === undefined) {
    return {
      kind: "unknown",
      why: `this account may not list IngressClasses, so whether there is one called ${wanted} is not known`,
    };
  }
  const found = classes.find(({ metadata }) => metadata?.name === wanted);
  if (found !== undefined) return { kind: "exists", controller: found.spec?.controller ?? "" };
  if (annotated) {
    return {
      kind: "unknown",
      why: `the annotation kubernetes.io/ingress.class names ${wanted}, of which there is no IngressClass: a controller may serve it all the same`,
    };
  }
  const names = classes.map(({ metadata }) => metadata?.name ?? "").toSorted();
  const isDefault = ({ metadata }: IngressClassShape) =>
    metadata?.annotations?.["ingressclass.kubernetes.io/is-default-class"] === "true";
  const usual = classes.find(isDefault)?.metadata?.name;
  const close = nearest(wanted, names);
  const better = close ?? usual ?? (names.length === 1 ? names[0] : undefined);
  return {
    kind: "missing",
    message: `The cluster has no IngressClass ${wanted}, so nobody would serve the Ingress. ${
      names.length === 0
        ? "It has none at all."
        : `It has ${names.map((name) => (name === usual ? `${name} (the default)` : name)).join(", ")}.`
    }`,
    hint:
      names.length === 0
        ? "Install an ingress controller, for example Traefik 3.7 or newer, or use a local cluster: `modelswitch cluster up`."
        : `Set ingress.className${better === undefined ? " to one of these" : `: "${better}"`}, or install a controller that serves ${wanted}. A controller that knows the class without an IngressClass needs ingress.classAnnotation: true.`,
  };
}

/** What has to happen before an Ingress has an address. Pure. */
export function whoGivesAddress(className: string | undefined, verdict: IngressClassVerdict): string {
  const which = className === undefined ? "the default class" : `the class ${className}`;
  switch (verdict.kind) {
    case "exists":
      return `${which} belongs to the controller ${verdict.controller}: it has to run, and to publish its address`;
    case "unknown":
      return `the controller of ${which} has to run, and to publish its address (${verdict.why})`;
    case "missing":
      return verdict.message.replace(/\.$/, "");
  }
}
