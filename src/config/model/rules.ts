import { isKnownRouter, routerNamed } from "../../component/routers/factory.ts";
import { presetServer } from "../../component/servers/preset-server.ts";
import { defaults } from "../../core/defaults.ts";
import { UserError } from "../../core/errors.ts";
import { isFields, valueAt } from "../../core/fields.ts";
import { modelNamePattern, objectNames, type SlotNames } from "../../core/names.ts";
import { isOwnRouter, type RouterName, routerNames } from "../../core/router-names.ts";
import { otherSlot, type Slot, slots } from "../../core/slots.ts";
import type { ConfigProblem } from "../parts/problem.ts";
import { rolloutProblems } from "../rollout/rollout-rules.ts";
import { grpcOnlyProblems } from "./grpc-only-rules.ts";
import { hostProblem, imageProblem } from "./host.ts";
import { releaseProblems } from "./release-rules.ts";
import { annotationProblem, previewHeaderProblem } from "./routers.ts";
import { routingProblems } from "./routing-rules.ts";
import type { ModelswitchConfig, SlotOnly } from "./types.ts";

type Path = readonly (string | number)[];

/** Rules that the shape alone cannot say. They read the raw input, so that they hold for half-right files too. */
export function ruleProblems(input: object): ConfigProblem[] {
  const read = (...path: Path) => valueAt(input, path);
  return [
    ...names(read),
    ...whatRuns(read),
    ...images(read),
    ...selectors(read),
    ...objectNamesDiffer(read),
    ...releaseProblems(input, routerOf(read)),
    ...ownRouter(read),
    ...ingress(read),
    ...serverTimes(read),
    ...grpcOnlyProblems(input),
    ...rolloutProblems(input, routerOf(read)),
    ...routingProblems(input, routerOf(read)),
  ];
}

type Read = (...path: Path) => unknown;

/** What of a slot stands beside a template. */
const slotsOwn: readonly string[] = [
  "deployment",
  "service",
  "autoscaler",
  "selector",
] satisfies (keyof SlotOnly)[];

function names(read: Read): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const name = read("name");
  if (typeof name === "string" && !modelNamePattern.test(name)) {
    const rule = "is no model name: lower-case letters, digits and -, at most 52 characters, first a letter";
    problems.push({
      path: ["name"],
      message: `${JSON.stringify(name)} ${rule}${suggestion(name, /^[^a-z]+/, 52)}`,
    });
  }
  const namespace = read("namespace");
  if (typeof namespace === "string" && !/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/.test(namespace)) {
    const rule = "is no namespace: lower-case letters, digits and -, at most 63 characters";
    const message = `${JSON.stringify(namespace)} ${rule}${suggestion(namespace, /^-+/, 63)}`;
    problems.push({ path: ["namespace"], message });
  }
  return problems;
}

/** The valid name that is closest to a wrong one. */
export function closestName(wrong: string, dropped: RegExp = /^[^a-z]+/, length = 52): string {
  const plain = wrong.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  return plain.replace(dropped, "").slice(0, length).replace(/-+$/, "");
}

function suggestion(wrong: string, dropped: RegExp, length: number): string {
  const close = closestName(wrong, dropped, length);
  return close === "" ? "" : `; did you mean "${close}"?`;
}

function whatRuns(read: Read): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const release = read("release");
  const named = read("slots");
  const [run] = slots.flatMap((slot) => {
    const said = read("slots", slot);
    const keys = isFields(said) ? Object.keys(said).filter((key) => !slotsOwn.includes(key)) : [];
    return keys.map((key) => `slots.${slot}.${key}`);
  });
  if (release !== undefined && run !== undefined) {
    problems.push({
      path: ["release"],
      message: `is given, and ${run} too; keep "release" (the template of the next release; slots then only have ${slotsOwn.join(", ")}) or "slots" (what both slots run)`,
    });
  }
  if (release === undefined && named === undefined) {
    problems.push({
      path: ["release"],
      message: `is missing, and "slots" too; give "release" (for example { image: "registry/fraud:1.5" }) or "slots" (what both slots run)`,
    });
  }
  if (release === undefined && named !== undefined && read("idleReplicas") !== undefined) {
    problems.push({
      path: ["idleReplicas"],
      message:
        'is given, but with "slots" both slots run what they name; set slots.blue.replicas and slots.green.replicas',
    });
  }
  if (read("release", "replicas") === 0) {
    problems.push({
      path: ["release", "replicas"],
      message: "0 is too small; a release needs at least 1 replica",
    });
  }
  return problems;
}

function images(read: Read): ConfigProblem[] {
  const places: Path[] = [
    ["release", "image"],
    ["slots", "blue", "image"],
    ["slots", "green", "image"],
  ];
  return places.flatMap((path) => {
    const image = read(...path);
    const message = typeof image === "string" ? imageProblem(image) : undefined;
    return message === undefined ? [] : [{ path, message }];
  });
}

/** Given names must not be those of the other slot, given or derived. */
function objectNamesDiffer(read: Read): ConfigProblem[] {
  // Names of another type are reported for that.
  const given = (slot: Slot): SlotNames => {
    const said = read("slots", slot);
    return isFields(said) ? said : {};
  };
  const names = objectNames(String(read("name")), { slots: { blue: given("blue"), green: given("green") } });
  return slots.flatMap((slot) =>
    (["deployment", "service", "autoscaler"] as const).flatMap((kind) => {
      const own = given(slot)[kind];
      if (own === undefined || names[kind].blue !== names[kind].green) return [];
      return [{ path: ["slots", slot, kind], message: `"${own}" is the ${kind} of ${otherSlot(slot)}, too` }];
    }),
  );
}

function selectors(read: Read): ConfigProblem[] {
  const given = slots.filter((slot) => read("slots", slot, "selector") !== undefined);
  const [named] = given.toReversed();
  if (named === undefined) return [];
  const of = (slot: Slot) => read("slots", slot, "selector") ?? { app: read("name"), version: slot };
  const other = otherSlot(named);
  const [mine, theirs] = [of(named), of(other)];
  if (!isFields(mine) || !isFields(theirs)) return [];
  if (Object.keys(mine).length === 0 || Object.keys(theirs).length === 0) return [];
  // The one with fewer labels selects the pods of the other, too.
  const covers = (wide: object, narrow: Record<string, unknown>) =>
    Object.entries(wide).every(([key, value]) => narrow[key] === value);
  if (!covers(mine, theirs) && !covers(theirs, mine)) return [];
  const [shown, which] = covers(theirs, mine) ? [theirs, "the same pods as"] : [mine, "pods of"];
  const labels = Object.entries(shown).map(([key, value]) => `${key}=${value}`);
  return [
    {
      path: ["slots", named, "selector"],
      message: `selects ${which} slots.${other}.selector (${labels.join(",")}); the slots must differ, for example in version: blue and version: green`,
    },
  ];
}

/** The router, where there is one of that name. */
function routerOf(read: Read): RouterName | undefined {
  const wanted = read("router") ?? defaults.router;
  if (isOwnRouter(wanted)) return isKnownRouter(wanted) ? wanted : undefined;
  return routerNames.find((name) => name === wanted);
}

function ownRouter(read: Read): ConfigProblem[] {
  const wanted = read("router");
  if (!isOwnRouter(wanted) || isKnownRouter(wanted)) return [];
  const message = `"${wanted}" is no router that this configuration defines: call defineRouter({ … }) in a configuration in TypeScript, and give what it returns`;
  return [{ path: ["router"], message }];
}

function ingress(read: Read): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const host = read("ingress", "host");
  const wrongHost = typeof host === "string" ? hostProblem(host) : undefined;
  if (wrongHost !== undefined) problems.push({ path: ["ingress", "host"], message: wrongHost });
  const also = read("ingress", "also");
  for (const [index, place] of (Array.isArray(also) ? also : []).entries()) {
    const other = valueAt(place, ["host"]);
    const wrong = typeof other === "string" ? hostProblem(other) : undefined;
    if (wrong !== undefined) problems.push({ path: ["ingress", "also", index, "host"], message: wrong });
  }
  const annotations = read("ingress", "annotations");
  const router = routerOf(read);
  const className = read("ingress", "className");
  if (isFields(annotations) && router !== undefined) {
    for (const [name, value] of Object.entries(annotations)) {
      const ofClass = typeof className === "string" ? className : undefined;
      const message = annotationProblem(router, ofClass, name, String(value));
      if (message !== undefined) problems.push({ path: ["ingress", "annotations", name], message });
    }
  }
  if (router !== undefined && read("previewHeader") !== undefined) {
    const message = previewHeaderProblem(router);
    if (message !== undefined) problems.push({ path: ["previewHeader"], message });
  }
  if (router !== undefined && !routerNamed(router).publishesAddress) {
    const endpoints = read("ingress", "endpoints");
    if (!Array.isArray(endpoints) || endpoints.length === 0) {
      const message = `is missing; behind the router "${router}" nothing in the cluster says where clients connect, for example ["http://203.0.113.7"]`;
      problems.push({ path: ["ingress", "endpoints"], message });
    }
  }
  if (router !== undefined) {
    const needed = routerNamed(router).needsGateway === true;
    const given = read("ingress", "gateway", "name") != null;
    const says =
      needed && !given
        ? `is missing; the router "${router}" needs the Gateway that takes the requests, for example { name: "edge", namespace: "gateways" }`
        : given && !needed
          ? `means nothing to the router "${router}"`
          : undefined;
    if (says !== undefined) problems.push({ path: ["ingress", "gateway"], message: says });
  }
  problems.push(...probeHeaders(read));
  const tls = read("ingress", "tls");
  if (Array.isArray(tls) && typeof host === "string" && tls.length > 0) {
    const covered = tls.flatMap((entry) => {
      const named = valueAt(entry, ["hosts"]);
      // An entry without hosts is for all of them.
      return Array.isArray(named) && named.length > 0 ? named : [host];
    });
    const matches = (pattern: unknown) =>
      pattern === host ||
      (typeof pattern === "string" &&
        pattern.startsWith("*.") &&
        host.split(".").slice(1).join(".") === pattern.slice(2));
    if (!covered.some(matches)) {
      problems.push({
        path: ["ingress", "tls"],
        message: `names the hosts ${covered.join(", ")}, but ingress.host is "${host}"`,
      });
    }
  }
  return problems;
}

/** Headers that a request has anyway: another value would make it another request. */
const ownHeaders = ["host", "connection", "content-length", "transfer-encoding", "upgrade", "te", "trailer"];

function probeHeaders(read: Read): ConfigProblem[] {
  const headers = read("ingress", "probe", "headers");
  if (!isFields(headers)) return [];
  const preview = String(read("previewHeader") ?? defaults.previewHeader).toLowerCase();
  return Object.keys(headers).flatMap((name): ConfigProblem[] => {
    const path = ["ingress", "probe", "headers", name];
    if (name.toLowerCase() === preview) {
      return [{ path, message: "is the preview header, with which the proof chooses a slot itself" }];
    }
    return ownHeaders.includes(name.toLowerCase()) ? [{ path, message: "is set by the request itself" }] : [];
  });
}

function serverTimes(read: Read): ConfigProblem[] {
  const sleep = read("server", "preStopSleepSeconds");
  const grace = read("server", "terminationGracePeriodSeconds");
  if (typeof sleep !== "number" || typeof grace !== "number" || grace > sleep) return [];
  return [
    {
      path: ["server", "terminationGracePeriodSeconds"],
      message: `${grace} is not more than preStopSleepSeconds ${sleep}; a terminating pod would be killed while it still serves`,
    },
  ];
}

/** What the preset's function has against options that are each right by themselves. Reads what has the right shape. */
export function presetProblems({
  name,
  server,
}: Pick<ModelswitchConfig, "name" | "server">): ConfigProblem[] {
  if (typeof server !== "object" || !("preset" in server)) return [];
  try {
    presetServer(server, name);
    return [];
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return [{ path: ["server"], message: error.message }];
  }
}
