import { requireRequestCapabilities, routerNamed } from "../../component/routers/factory.ts";
import { refuseOwnedAnnotations } from "../../component/routers/main-ingress.ts";
import { isFields, valueAt } from "../../core/fields.ts";
import type { IngressSpec } from "../../core/model.ts";
import { requestProblems } from "../../core/request-rules.ts";
import type { RouterName } from "../../core/router-names.ts";
import { slotProblems } from "../../core/slot-rules/slot-rules.ts";
import { slots } from "../../core/slots.ts";
import { type ConfigProblem, mayBeSecret, refusal } from "../parts/problem.ts";

/** Rules of what a release is made of, and of the options of requests. Read the raw input. */
export function releaseProblems(input: object, router: RouterName | undefined): ConfigProblem[] {
  const places = [["release"], ...slots.map((slot) => ["slots", slot])];
  return [
    ...places.flatMap((place) => {
      const slot = valueAt(input, place);
      if (!isFields(slot)) return [];
      const selector = place[0] === "slots" ? slot.selector : undefined;
      return slotProblems({ ...slot, ...(selector === undefined ? {} : { selector }) }).map(
        ({ path, message }) => ({ path: [...place, ...path], message: withoutSecrets(path, message) }),
      );
    }),
    ...envShapes(input, places),
    ...requests(input, router),
  ];
}

function envShapes(input: object, places: readonly string[][]): ConfigProblem[] {
  const environments = places.flatMap((place) => [
    [...place, "env"],
    [...place, "model", "fetcher", "env"],
  ]);
  return environments.flatMap((place) => {
    const env = valueAt(input, place);
    if (!isFields(env)) return [];
    return Object.entries(env).flatMap(([name, value]) => {
      if (typeof value === "string" || value === undefined) return [];
      const path = [...place, name];
      if (!isFields(value)) {
        return [{ path, message: "must be a text, in quotes, or { secret, key } or { configMap, key }" }];
      }
      if (value.secret === undefined && value.configMap === undefined)
        return [
          { path, message: "names neither a Secret nor a ConfigMap; write { secret: NAME, key: KEY }" },
        ];
      return [];
    });
  });
}

function requests(input: object, router: RouterName | undefined): ConfigProblem[] {
  const ingress = valueAt(input, ["ingress"]);
  if (!isFields(ingress)) return [];
  const found: ConfigProblem[] = Object.entries(requestProblems(ingress)).map(([key, message]) => ({
    path: ["ingress", key],
    message,
  }));
  if (router === undefined || found.length > 0) return found;
  for (const key of ["timeout", "maxBodySize", "protocol"] as const) {
    if (ingress[key] === undefined) continue;
    const option = { [key]: ingress[key] } as Pick<IngressSpec, "timeout" | "maxBodySize" | "protocol">;
    const refused = refusal(() => requireRequestCapabilities(routerNamed(router), option));
    if (refused !== undefined) found.push({ path: ["ingress", key], message: refused });
    if (!isFields(ingress.annotations)) continue;
    const written = routerNamed(router).requestAnnotations(option);
    const annotations = ingress.annotations as Readonly<Record<string, string>>;
    const twice = refusal(() =>
      refuseOwnedAnnotations(router, { annotations: own(annotations, written) }, written),
    );
    if (twice !== undefined) found.push({ path: ["ingress", key], message: twice });
  }
  return found;
}

/** The free annotations that an option writes as well. */
function own(
  annotations: Readonly<Record<string, string>>,
  written: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(annotations).filter(([name]) => written[name] !== undefined));
}

function withoutSecrets(path: readonly (string | number)[], message: string): string {
  return mayBeSecret(path) ? message.replace(/"[^"]*"/, "the value") : message;
}
