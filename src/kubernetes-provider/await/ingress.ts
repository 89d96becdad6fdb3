import { annotation, listAt, nameOf, text } from "../objects.ts";
import type { PropertyMap } from "../struct.ts";
import { recentEvents } from "./explain.ts";
import { collection, list, type Observer } from "./observer.ts";
import type { Verdict } from "./wait.ts";

export interface IngressView {
  readonly ingress: PropertyMap | undefined;
  readonly classes: readonly PropertyMap[];
  /** Names of the Services in the Ingress's namespace. */
  readonly services: ReadonlySet<string>;
}

/** An Ingress is ready when its controller has published an address for it. */
export function ingressVerdict(view: IngressView): Verdict {
  const { ingress } = view;
  if (ingress === undefined) return { state: "failed", reasons: ["It was deleted while it was waited for"] };
  const missing = missingBackends(ingress, view.services);
  if (listAt(ingress, "status", "loadBalancer", "ingress").length > 0) {
    if (missing.length === 0) return { state: "ready" };
    return { state: "ready", note: missing.join("; ") };
  }
  return {
    state: "waiting",
    reasons: [
      "No ingress controller has published an address (status.loadBalancer)",
      whoseTurn(ingress, view),
      ...missing,
    ],
    trouble: true,
  };
}

/** Who would have to publish the address, as far as can be seen. */
function whoseTurn(ingress: PropertyMap, view: IngressView): string {
  const name =
    text(ingress, "spec", "ingressClassName") || annotation(ingress, "kubernetes.io/ingress.class");
  const known = view.classes.map(nameOf);
  const existing = known.length === 0 ? "there are none" : `there are: ${known.join(", ")}`;
  if (name === "") {
    const isDefault = (candidate: PropertyMap) =>
      annotation(candidate, "ingressclass.kubernetes.io/is-default-class") === "true";
    const fallback = view.classes.find(isDefault);
    return fallback === undefined
      ? `it names no ingress class and no class is the default (${existing})`
      : `it goes to the default class "${nameOf(fallback)}"; does its controller run?`;
  }
  const found = view.classes.find((candidate) => nameOf(candidate) === name);
  if (found === undefined) return `the ingress class "${name}" does not exist (${existing})`;
  return (
    `the class "${name}" belongs to the controller ${text(found, "spec", "controller")}; does it run, and does it ` +
    'publish addresses? If it never does, set the annotation pulumi.com/skipAwait: "true"'
  );
}

function missingBackends(ingress: PropertyMap, services: ReadonlySet<string>): string[] {
  const missing: string[] = [];
  for (const rule of listAt(ingress, "spec", "rules")) {
    for (const path of listAt(rule, "http", "paths")) {
      const service = text(path, "backend", "service", "name") || text(path, "backend", "serviceName");
      if (service === "" || services.has(service)) continue;
      missing.push(
        `${text(rule, "host")}${text(path, "path") || "/"} goes to the Service "${service}", which does not exist`,
      );
    }
  }
  return missing;
}

export const ingressObserver: Observer = {
  watch: (live) => [{ path: collection(live, root(live), "ingresses"), name: nameOf(live) }],
  async look(session, live) {
    const { api } = session.client;
    const [ingress, classes, services] = await Promise.all([
      api.find<PropertyMap>(`${collection(live, root(live), "ingresses")}/${nameOf(live)}`, {
        signal: session.signal,
      }),
      list(api, "/apis/networking.k8s.io/v1/ingressclasses", {}, session.signal),
      list(api, collection(live, "/api/v1", "services"), {}, session.signal),
    ]);
    const view: IngressView = { ingress, classes, services: new Set(services.map(nameOf)) };
    return {
      object: ingress ?? live,
      verdict: ingressVerdict(view),
      explain: () => recentEvents(session, live),
    };
  },
};

const root = (live: PropertyMap) => `/apis/${text(live, "apiVersion")}`;
