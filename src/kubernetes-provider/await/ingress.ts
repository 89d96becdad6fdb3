import { annotation, listAt, nameOf, text } from "../objects.ts";
import type { Session } from "../session.ts";
import type { PropertyMap } from "../struct.ts";
import { recentEvents } from "./explain.ts";
import { collection, ifAllowed, list, type Observer } from "./observer.ts";
import type { Verdict } from "./wait.ts";

export interface IngressView {
  readonly ingress: PropertyMap | undefined;
  /** `undefined`: the account may not look at them. */
  readonly classes: readonly PropertyMap[] | undefined;
  /** Names of the Services that the Ingress leads to and that are there, as far as the account may look. */
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
  if (view.classes === undefined) {
    const which = name === "" ? "the default ingress class" : `the ingress class "${name}"`;
    return `does the controller of ${which} run, and does it publish addresses?`;
  }
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
  return backends(ingress)
    .filter(({ service }) => !services.has(service))
    .map(({ at, service }) => `${at} goes to the Service "${service}", which does not exist`);
}

function backends(ingress: PropertyMap): readonly { readonly at: string; readonly service: string }[] {
  return listAt(ingress, "spec", "rules").flatMap((rule) =>
    listAt(rule, "http", "paths").flatMap((path) => {
      const service = text(path, "backend", "service", "name") || text(path, "backend", "serviceName");
      return service === "" ? [] : [{ at: `${text(rule, "host")}${text(path, "path") || "/"}`, service }];
    }),
  );
}

/** Asks for each Service by its name: whoever may only touch his own Services may not list them all. */
async function existingBackends(session: Session, live: PropertyMap): Promise<ReadonlySet<string>> {
  const path = collection(live, "/api/v1", "services");
  const names = [...new Set(backends(live).map(({ service }) => service))];
  const found = await Promise.all(
    names.map(async (name) => {
      const options = { signal: session.signal };
      const looked = await ifAllowed(
        session.client.api
          .find(`${path}/${encodeURIComponent(name)}`, options)
          .then((service) => service !== undefined),
      );
      return looked === false ? [] : [name];
    }),
  );
  return new Set(found.flat());
}

export const ingressObserver: Observer = {
  watch: (live) => [{ path: collection(live, root(live), "ingresses"), name: nameOf(live) }],
  async look(session, live) {
    const { api } = session.client;
    const [ingress, classes] = await Promise.all([
      api.find<PropertyMap>(`${collection(live, root(live), "ingresses")}/${nameOf(live)}`, {
        signal: session.signal,
      }),
      ifAllowed(list(api, "/apis/networking.k8s.io/v1/ingressclasses", {}, session.signal)),
    ]);
    const services = await existingBackends(session, ingress ?? live);
    const view: IngressView = { ingress, classes, services };
    return {
      object: ingress ?? live,
      verdict: ingressVerdict(view),
      explain: () => recentEvents(session, live),
    };
  },
};

const root = (live: PropertyMap) => `/apis/${text(live, "apiVersion")}`;
