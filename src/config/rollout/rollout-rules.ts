import { routerNamed } from "../../component/routers/factory.ts";
import { type Fields, isFields, valueAt } from "../../core/fields.ts";
import { type GatePhase, gatePhases } from "../../core/gates.ts";
import { didYouMean, nearest } from "../../core/nearest.ts";
import { parseSteps } from "../../core/rollout/steps.ts";
import { type RouterName, routerNames } from "../../core/router-names.ts";
import { callUrlProblem } from "../../core/urls.ts";
import type { GateAround } from "../../gates/kind.ts";
import { configurableGates } from "../../gates/kinds.ts";
import type { ConfigProblem } from "../parts/problem.ts";
import { freezeSpan, minutesOf } from "./rollout-windows.ts";

/** Rules of `rollout` that the shape alone cannot say. They read the raw input. */
export function rolloutProblems(input: object, router: RouterName | undefined): ConfigProblem[] {
  const rollout = valueAt(input, ["rollout"]);
  if (!isFields(rollout)) return [];
  return [
    ...modes(rollout),
    ...shadows(rollout),
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

/** Copies for a slot that is there before the other one is gone; what is said of a phase that there is not. */
function shadows({ mode, shadow, hooks, gates }: Fields): ConfigProblem[] {
  if (shadow !== undefined && mode === "recreate") {
    const message =
      'is given, but with mode "recreate" the two slots never run at once, so that nothing can be copied; leave shadow out';
    return [{ path: ["shadow"], message }];
  }
  if (shadow !== undefined) return [];
  const message = "is no phase of this rollout: rollout.shadow is not given";
  const ofHooks = (Array.isArray(hooks) ? hooks : []).flatMap((hook: unknown, index): ConfigProblem[] =>
    (["before", "after"] as const)
      .filter((when) => valueAt(hook, [when]) === "shadow")
      .map((when) => ({ path: ["hooks", index, when], message: `"shadow" ${message}` })),
  );
  const ofGates = (Array.isArray(gates) ? gates : []).flatMap((gate: unknown, index): ConfigProblem[] => {
    const phases = valueAt(gate, ["phases"]);
    const at = Array.isArray(phases) ? phases.indexOf("shadow") : -1;
    return at < 0 ? [] : [{ path: ["gates", index, "phases", at], message: `"shadow" ${message}` }];
  });
  return [...ofHooks, ...ofGates];
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
  const keys = configurableGates.map(({ key }) => key);
  const around = { input, ...(router === undefined ? {} : { preview: previewOf(router) }) };
  return [
    ...uniqueNames(rollout, "gates"),
    ...entries(rollout, "gates").flatMap(({ entry, at }): ConfigProblem[] => [
      ...exactlyOne(entry, at, keys, 'for example run: ["./check.sh"]'),
      ...callProblems(entry, at),
      ...(entry.name === "pods"
        ? [{ path: [...at, "name"], message: '"pods" is the name of the gate that watches the pods' }]
        : []),
      ...configurableGates
        .filter(({ key }) => entry[key] !== undefined)
        .flatMap(({ problems, phases }) => [
          ...(problems?.(entry, around) ?? []),
          ...blindPhases(entry.phases, phases),
        ])
        .map(({ path, message }) => ({ path: [...at, ...path], message })),
    ]),
  ];
}

/** Phases in which a gate of this kind sees nothing: it would never pass there. */
function blindPhases(named: unknown, able: readonly GatePhase[] = gatePhases): ConfigProblem[] {
  const phases: readonly unknown[] = Array.isArray(named) ? named : [];
  return phases.flatMap((phase, index): ConfigProblem[] =>
    gatePhases.some((one) => one === phase) && !able.some((one) => one === phase)
      ? [
          {
            path: ["phases", index],
            message: `is a phase in which this gate sees nothing: it looks in ${able.join(", ")}`,
          },
        ]
      : [],
  );
}

function previewOf(router: RouterName): NonNullable<GateAround["preview"]> {
  const able = (name: RouterName) => routerNamed(name).capabilities.header;
  return { router, able: able(router), others: routerNames.filter(able) };
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
