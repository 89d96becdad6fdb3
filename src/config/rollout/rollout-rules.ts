import { routerNamed } from "../../component/routers/factory.ts";
import { type Fields, isFields } from "../../core/fields.ts";
import { type GatePhase, gatePhases } from "../../core/gates.ts";
import { leadsToModel } from "../../core/identity-path.ts";
import { type IngressSpec, type RouterName, routerNames } from "../../core/model.ts";
import { didYouMean, nearest } from "../../core/nearest.ts";
import { parseSteps } from "../../core/rollout/steps.ts";
import { callUrlProblem } from "../../core/urls.ts";
import { type ConfigProblem, valueAt } from "../parts/problem.ts";
import { freezeSpan, minutesOf } from "./rollout-windows.ts";

/** Rules of `rollout` that the shape alone cannot say. They read the raw input. */
export function rolloutProblems(input: object, router: RouterName | undefined): ConfigProblem[] {
  const rollout = valueAt(input, ["rollout"]);
  if (!isFields(rollout)) return [];
  return [
    ...modes(rollout),
    ...windows(rollout),
    ...freezes(rollout),
    ...hooks(rollout),
    ...gates(rollout, input, router),
    ...notifications(rollout),
  ].map(({ path, message }) => ({ path: ["rollout", ...path], message }));
}

function modes({ mode, steps }: Fields): ConfigProblem[] {
  if (typeof mode === "string" && mode !== "full" && mode !== "recreate") {
    const meant =
      nearest(mode, ["partial"]) === undefined
        ? didYouMean(mode, ["full", "recreate"])
        : "; did you mean { partial: 20 }, the per cent of the replicas?";
    return [{ path: ["mode"], message: `"${mode}" is none of full, recreate and { partial: 20 }${meant}` }];
  }
  if (mode !== "recreate" || typeof steps !== "string") return [];
  const parsed = parseSteps(steps);
  if (parsed.kind !== "steps" || parsed.steps.length === 0) return [];
  const message =
    'is given, but with mode "recreate" the two slots never run at once, so that traffic cannot be shared; leave steps out, or choose mode "full" or { partial: 20 }';
  return [{ path: ["steps"], message }];
}

function windows(rollout: Fields): ConfigProblem[] {
  const problems = entries(rollout, "windows").flatMap(({ entry, at }): ConfigProblem[] => {
    const [from, to] = [entry.from, entry.to].map((value) => minutesOf(String(value)));
    if (from === undefined || to === undefined) return [];
    if (from === 1440) return [{ path: [...at, "from"], message: '"24:00" is "00:00" of the next day' }];
    if (from !== to && to !== 0) return [];
    const message =
      from === to
        ? `"${String(entry.to)}" is when it opens, too; for the whole day write from: "00:00", to: "24:00"`
        : '"00:00" is written "24:00" at the end of a day';
    return [{ path: [...at, "to"], message }];
  });
  return problems;
}

function freezes(rollout: Fields): ConfigProblem[] {
  const { timeZone } = rollout;
  return entries(rollout, "freezes").flatMap(({ entry: { from, to }, at }): ConfigProblem[] => {
    if (typeof from !== "string" || typeof to !== "string") return [];
    let span: ReturnType<typeof freezeSpan>;
    try {
      span = freezeSpan({ from, to }, typeof timeZone === "string" ? timeZone : "UTC");
    } catch {
      // The time zone is wrong, which is said where it stands.
      return [];
    }
    if (span === undefined || span.from < span.to) return [];
    return [{ path: [...at, "to"], message: `"${to}" is not after from, "${from}"` }];
  });
}

function hooks(rollout: Fields): ConfigProblem[] {
  return [
    ...uniqueNames(rollout, "hooks"),
    ...entries(rollout, "hooks").flatMap(({ entry, at }): ConfigProblem[] => [
      ...exactlyOne(entry, at, ["before", "after"], 'for example before: "cut-over"'),
      ...exactlyOne(entry, at, ["run", "url"], 'for example run: ["./check.sh"]'),
      ...callProblems(entry, at),
    ]),
  ];
}

function gates(rollout: Fields, input: object, router: RouterName | undefined): ConfigProblem[] {
  return [
    ...uniqueNames(rollout, "gates"),
    ...entries(rollout, "gates").flatMap(({ entry, at }): ConfigProblem[] => [
      ...exactlyOne(entry, at, ["run", "url", "request"], 'for example run: ["./check.sh"]'),
      ...callProblems(entry, at),
      ...(entry.name === "pods"
        ? [{ path: [...at, "name"], message: '"pods" is the name of the gate that watches the pods' }]
        : []),
      ...requestProblems(entry, at, input, router),
    ]),
  ];
}

function requestProblems(
  { request, phases }: Fields,
  at: ConfigProblem["path"],
  input: object,
  router: RouterName | undefined,
): ConfigProblem[] {
  if (!isFields(request)) return [];
  const problems: ConfigProblem[] = [];
  const { requests = 10, allowed, path } = request;
  if (typeof allowed === "number" && typeof requests === "number" && allowed >= requests) {
    const message = `${allowed} may be wrong of ${requests} requests, so that the gate could never fail; it must be less`;
    problems.push({ path: [...at, "request", "allowed"], message });
  }
  const protocol = valueAt(input, ["ingress", "protocol"]);
  if (protocol === "grpc" || protocol === "grpcs") {
    const message = `asks over HTTP, but ingress.protocol is "${protocol}"; let a program ask instead, for example run: ["grpcurl", …]`;
    problems.push({ path: [...at, "request"], message });
  }
  const ingress = ingressOf(input);
  if (typeof path === "string" && ingress !== undefined && !leadsToModel(ingress, path)) {
    const message = `"${path}" is not under ingress.path "${ingress.path ?? "/"}", so the ingress would not send it to the model; write the path as clients do`;
    problems.push({ path: [...at, "request", "path"], message });
  }
  const asked: readonly unknown[] = Array.isArray(phases) ? phases : gatePhases;
  const early = (["verify", "shift"] satisfies GatePhase[]).filter((phase) => asked.includes(phase));
  if (router !== undefined && early.length > 0 && !routerNamed(router).capabilities.header) {
    const able = routerNames.filter((name) => routerNamed(name).capabilities.header);
    const message = `sends requests to the new release in ${early.join(" and ")}, before clients get there, which the router ${router} cannot; write phases: ["soak"], or choose the router ${able.join(" or ")}`;
    problems.push({ path: [...at, phases === undefined ? "request" : "phases"], message });
  }
  return problems;
}

/** Hosts and paths, where they have the right shape; what is wrong with them is told elsewhere. */
function ingressOf(input: object): IngressSpec | undefined {
  const ingress = valueAt(input, ["ingress"]);
  if (!isFields(ingress) || !(ingress.annotations === undefined || isFields(ingress.annotations))) return;
  const places: readonly unknown[] = [ingress, ...(Array.isArray(ingress.also) ? ingress.also : [])];
  const isText = (value: unknown) => value === undefined || typeof value === "string";
  const isRight = places.every(
    (place) => isFields(place) && [place.host, place.path, place.pathType].every(isText),
  );
  return isRight ? (ingress as unknown as IngressSpec) : undefined;
}

function notifications(rollout: Fields): ConfigProblem[] {
  return entries(rollout, "notifications").flatMap(({ entry, at }): ConfigProblem[] => [
    ...callProblems(entry, at),
    ...(entry.format === "slack" && entry.secret !== undefined
      ? [
          {
            path: [...at, "secret"],
            message: 'is given, but Slack checks no signature; use format: "generic"',
          },
        ]
      : []),
  ]);
}

function callProblems({ run, url, secret, insecure }: Fields, at: ConfigProblem["path"]): ConfigProblem[] {
  if (typeof url === "string") {
    const message = callUrlProblem(url, insecure === true);
    return message === undefined ? [] : [{ path: [...at, "url"], message }];
  }
  if (url !== undefined) return [];
  return Object.entries({ secret, insecure }).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [{ path: [...at, key], message: `is for a url, but this has ${run === undefined ? "none" : "run"}` }],
  );
}

function exactlyOne(
  entry: Fields,
  at: ConfigProblem["path"],
  keys: readonly string[],
  example: string,
): ConfigProblem[] {
  const [first, second] = keys.filter((key) => entry[key] !== undefined);
  const choice = keys.join(" or ");
  if (first === undefined) return [{ path: at, message: `needs ${choice}, ${example}` }];
  if (second === undefined) return [];
  return [{ path: [...at, second], message: `is given, and ${first} too; keep one of ${keys.join(", ")}` }];
}

function uniqueNames(rollout: Fields, key: string): ConfigProblem[] {
  const seen = new Map<unknown, number>();
  return entries(rollout, key).flatMap(({ entry: { name }, at, index }): ConfigProblem[] => {
    const other = seen.get(name);
    if (name === undefined || other === undefined) {
      seen.set(name, index);
      return [];
    }
    return [
      { path: [...at, "name"], message: `"${String(name)}" is the name of rollout.${key}[${other}], too` },
    ];
  });
}

function entries(
  rollout: Fields,
  key: string,
): { readonly entry: Fields; readonly at: ConfigProblem["path"]; readonly index: number }[] {
  const list = rollout[key];
  if (!Array.isArray(list)) return [];
  return list.flatMap((entry: unknown, index) =>
    isFields(entry) ? [{ entry, at: [key, index], index }] : [],
  );
}
