import { type Slot, slots } from "../../core/slots.ts";
import type { ModelStatus, Observing, RolloutStatus, SlotStatus } from "../../rollout/commands/status.ts";
import { describeHandChange } from "../../rollout/program/hand-changes.ts";
import type { Command, CommandContext, CommandInput, CommandResult } from "../command.ts";
import { table } from "../output/table.ts";
import { allOption, errorTexts, type Found, ofCluster, queryModels, titleOf } from "./rollout-context.ts";

/** Seconds between two looks. */
const defaultInterval = 2;

export const status: Command = {
  name: "status",
  summary: "Show the model: which slot is live, what each runs, and what is wrong",
  description:
    "Where the configuration file has several models and none is named, a line for each in the environment; with --all in every environment.",
  options: [
    allOption,
    { name: "watch", short: "w", summary: "show it again whenever it changes, until interrupted" },
    {
      name: "interval",
      value: "seconds",
      summary: "how often --watch looks",
      defaultText: String(defaultInterval),
    },
    {
      name: "observe",
      value: "seconds",
      summary: "how long clients' requests are counted, to show where they really go; 0: not at all",
      defaultText: "1 where the configuration says who counts, else 0",
    },
  ],
  examples: [
    "modelswitch status",
    "modelswitch status --watch",
    "modelswitch status --json",
    "modelswitch status --observe 5",
    "modelswitch status --all",
  ],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  async run(input, context) {
    const observing = await observingOf(input);
    if (input.options.watch !== true) return await queryStatus(input, context, observing);
    const { watching } = await import("../watch.ts");
    // Lines between two pictures would tear them: what goes wrong later is shown in their place.
    const quiet = { ...context, events: () => undefined };
    const { isStatusNews } = await import("./status-news.ts");
    return await watching(
      context,
      await intervalMs(input),
      (isFirst) => queryStatus(input, isFirst ? context : quiet, observing),
      isStatusNews,
    );
  },
};

/** How each model's shares are observed, from look to look. */
type ObservingAll = (key: string) => Promise<Observing>;

async function observingOf({ options }: CommandInput): Promise<ObservingAll> {
  const { observe } = options;
  const seconds = observe === undefined ? undefined : Number(observe);
  if (seconds !== undefined && !(seconds === 0 || (seconds >= 0.1 && seconds <= 3600))) {
    const { exitCodes, UserError } = await import("../../core/errors.ts");
    throw new UserError({
      code: "argument-invalid",
      message: `The option --observe is "${observe}", but takes seconds from 0.1 to 3600, or 0.`,
      exitCode: exitCodes.usage,
    });
  }
  const all = new Map<string, Observing>();
  return async (key) => {
    const known = all.get(key);
    if (known !== undefined) return known;
    const { ShareObserver } = await import("../../rollout/release/observed-share.ts");
    const readingMs = seconds === undefined ? undefined : seconds * 1000;
    const fresh = { readingMs, observer: new ShareObserver() };
    all.set(key, fresh);
    return fresh;
  };
}

async function intervalMs({ options }: CommandInput): Promise<number> {
  const { interval = String(defaultInterval) } = options;
  const seconds = Number(interval);
  if (seconds >= 0.1 && seconds <= 3600) return seconds * 1000;
  const { exitCodes, UserError } = await import("../../core/errors.ts");
  throw new UserError({
    code: "argument-invalid",
    message: `The option --interval is "${interval}", but takes seconds from 0.1 to 3600.`,
    exitCode: exitCodes.usage,
  });
}

function queryStatus(
  input: CommandInput,
  context: CommandContext,
  observing: ObservingAll,
): Promise<CommandResult> {
  return queryModels(input, context, {
    atOnce: 8,
    anywhere: true,
    query: ofCluster(context, async (rollout) => {
      const { modelStatus } = await import("../../rollout/commands/status.ts");
      const { config, namespace, kubernetesContext } = rollout;
      const key = JSON.stringify([kubernetesContext, namespace, config.name]);
      return await modelStatus(rollout, await observing(key));
    }),
    one: (found) => ({ data: document(found), text: describe(found) }),
    entry: document,
    several: describeAll,
  });
}

function document(found: ModelStatus): Readonly<Record<string, unknown>> {
  return {
    ...found,
    live: found.live ?? null,
    pending: found.pending ?? null,
    lastSwitch: found.lastSwitch ?? null,
    rollout: found.rollout ?? null,
    observed: found.observed ?? null,
    migration: found.migration ?? null,
  };
}

/** A line per model, then what is wrong with some of them. */
function describeAll(found: readonly Found<ModelStatus>[]): string[] {
  const withEnvironments = found.some(({ environment }) => environment !== undefined);
  const cells = (entry: Found<ModelStatus>): string[] => {
    if ("error" in entry) return ["-", entry.error.code];
    const { namespace, live, slots: each, pending } = entry.value;
    const summary = slots.map((slot) => {
      const { replicas, endpoints, trafficPercent } = each[slot];
      const desired = replicas.desired ?? endpoints.ready + endpoints.notReady;
      return `${replicas.ready}/${desired} ready, ${trafficPercent} %`;
    });
    return [namespace, live ?? "-", ...summary, ...(pending === undefined ? [] : ["pending"])];
  };
  const head = ["MODEL", ...(withEnvironments ? ["ENVIRONMENT"] : []), "NAMESPACE", "LIVE", "BLUE", "GREEN"];
  const rows = found.map((entry) => [
    entry.model,
    ...(withEnvironments ? [entry.environment ?? "-"] : []),
    ...cells(entry),
  ]);
  const details = found.flatMap((entry) =>
    "error" in entry
      ? []
      : slots.flatMap((slot) => troubles(`${titleOf(entry)}: ${slot}`, entry.value.slots[slot])),
  );
  return [...table([head, ...rows]), ...details, ...errorTexts(found)];
}

function describe(found: ModelStatus): string[] {
  const rows = [
    ["SLOT", "TRAFFIC", ...(found.observed === undefined ? [] : ["OBSERVED"]), "RELEASE", "READY", "IMAGE"],
    ...slots.map((slot) => row(slot, found, slot === found.live)),
  ];
  return [
    `${found.model} in ${found.namespace} (context ${found.context})`,
    `${found.url} at ${found.endpoints.join(", ") || "no address yet"}, router ${found.router}`,
    "",
    ...table(rows),
    ...describeObserved(found.observed),
    ...slots.flatMap((slot) => troubles(slot, found.slots[slot])),
    ...byHand(found),
    ...(found.beside === undefined ? [] : ["", `Beside the shares: ${found.beside}`]),
    ...(found.pending === undefined ? [] : ["", `Pending: ${found.pending}`]),
    ...(found.rollout === undefined ? [] : ["", describeRollout(found.rollout)]),
    ...(found.lastSwitch === undefined
      ? []
      : [
          "",
          `Last switch: ${found.lastSwitch.from} to ${found.lastSwitch.to} at ${found.lastSwitch.at} by ${found.lastSwitch.by}`,
        ]),
  ];
}

/** What somebody changed past modelswitch. */
function byHand({ changedByHand }: ModelStatus): string[] {
  return changedByHand.length === 0
    ? []
    : [
        "",
        "Changed by hand:",
        ...changedByHand.map((change) => `  ${change.kind} ${change.name}: ${describeHandChange(change)}`),
      ];
}

/** The rollout in progress, for people. Pure. */
export function describeRollout(rollout: RolloutStatus): string {
  if (rollout.warmUntil !== undefined) {
    return `Release ${rollout.release} is live; the old slot stays warm until ${rollout.warmUntil} (\`modelswitch rollback\`, then \`modelswitch reconcile\`).`;
  }
  const goesOn = "`modelswitch resume` goes on";
  const { kind, release, target, phase, stage, direction, by, startedAt, waitsFor, worksOnIt } = rollout;
  const where = stage === "during" ? `phase ${phase}` : `${stage} the phase ${phase}`;
  const how = `${rollout.paused ? ", paused" : ""}${direction === "back" ? ", on the way back" : ""}`;
  return [
    `Rollout: ${kind} of release ${release} into ${target}, ${where}${how}; begun by ${by} at ${startedAt}`,
    ...(waitsFor === undefined ? [] : [`It waits: ${waitsFor}`]),
    ...(worksOnIt === null && waitsFor === undefined
      ? [
          `No command works on it: ${direction === "back" ? goesOn : `${goesOn}, \`modelswitch abort\` takes it back`}`,
        ]
      : []),
    ...(typeof worksOnIt === "string" ? [`${worksOnIt} works on it`] : []),
  ].join(". ");
}

/** Where the observed shares are from, or why there are none. Pure. */
export function describeObserved(observed: ModelStatus["observed"]): string[] {
  if (observed === undefined) return [];
  if (observed.kind === "unknown") return ["", `Observed: not known, ${observed.why}`];
  const { requests, seconds, by, where } = observed;
  const all = requests.blue + requests.green;
  const what = all === 0 ? "no request" : `${all} request${all === 1 ? "" : "s"}`;
  return ["", `Observed: ${what} in ${seconds} s, counted by ${by} at ${where}`];
}

function observedCell(observed: ModelStatus["observed"], slot: Slot): string[] {
  if (observed === undefined) return [];
  return [observed.kind === "observed" && observed.split !== null ? `${observed.split[slot]} %` : "-"];
}

function row(name: Slot, { slots: all, observed }: ModelStatus, live: boolean): string[] {
  const slot = all[name];
  const desired = slot.replicas.desired ?? slot.endpoints.ready + slot.endpoints.notReady;
  return [
    `${name}${live ? " (live)" : ""}`,
    `${slot.trafficPercent} %`,
    ...observedCell(observed, name),
    slot.release === undefined ? "-" : String(slot.release),
    `${slot.replicas.ready}/${desired}`,
    slot.pods === "yours" ? "(your own pods)" : imageOf(slot),
  ];
}

/** A slot that no release was put into yet has a Deployment, and its image is a placeholder. */
function imageOf({ release, image, replicas }: SlotStatus): string {
  return image === undefined || (release === undefined && replicas.desired === 0) ? "-" : image;
}

function troubles(name: string, slot: SlotStatus): string[] {
  const isEmpty = slot.replicas.desired === 0 && slot.trafficPercent === 0;
  if (slot.ready || isEmpty) return [];
  return [
    "",
    `${name} is not ready: ${slot.reasons.join("; ")}`,
    ...slot.problems.flatMap((problem) => [
      `  pod ${problem.pod}: ${problem.message}`,
      ...(problem.evidence?.events ?? []).map((event) => `    ${event}`),
      ...(problem.evidence?.logLines ?? []).map((line) => `    log: ${line}`),
    ]),
  ];
}
