import { formatDuration } from "../../core/duration.ts";
import { liveSlot } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import type { OperationResult, ResourceChange } from "../../engine/stack.ts";
import type { Admission } from "../../rollout/capacity/dry-run.ts";
import type { ReleaseCost } from "../../rollout/capacity/next-release.ts";
import type { PreparedUp } from "../../rollout/commands/prepare-up.ts";
import type { RolloutContext } from "../../rollout/context/context.ts";
import type { GivenUp } from "../../rollout/release/given-up.ts";
import type { LivePlan } from "../../rollout/release/live-plan.ts";
import type { Command, CommandContext, CommandInput } from "../command.ts";
import { liveFlags, readLiveFlags, shareHostFlag } from "./live-flags.ts";
import { allOption, errorTexts, ofCluster, queryModels, titleOf } from "./rollout-context.ts";

export const plan: Command = {
  name: "plan",
  summary:
    "Show what `up` would change, property by property, and what a release would take; changes nothing",
  description:
    "Where the configuration file has several models and none is named, for each in the environment; with --all in every environment.",
  options: [shareHostFlag, ...liveFlags, allOption],
  examples: ["modelswitch plan", "modelswitch plan --json", "modelswitch plan --all"],
  output: "long",
  ifInterrupted: "Nothing was changed.",
  run: (input, context) =>
    queryModels(input, context, {
      // Pulumi's runtime is in globals of this process: one at a time.
      atOnce: 1,
      query: ofCluster(context, (rollout) => planOf(rollout, input, context)),
      one: (found) => ({ data: document(found), text: describe(found) }),
      entry: document,
      several: (found) => [
        ...found.flatMap((entry) =>
          "value" in entry ? [`${titleOf(entry)}:`, ...describe(entry.value).map((line) => `  ${line}`)] : [],
        ),
        ...errorTexts(found),
      ],
    }),
};

interface Plan {
  readonly rollout: RolloutContext;
  readonly prepared: PreparedUp;
  readonly live: Slot;
  readonly result: OperationResult;
  /** What the gates of a release send themselves. */
  readonly own: { readonly requests: readonly object[]; readonly lines: readonly string[] };
  /** The way back that a release would take the place of. */
  readonly givenUp: (GivenUp & { readonly text: string }) | undefined;
  /** What a release does for some clients otherwise than for others, a line each. */
  readonly reach: readonly string[];
  /** What a release would take beside what runs. */
  readonly cost:
    | (ReleaseCost & { readonly text: string; readonly admission: Admission | undefined })
    | undefined;
  /** What a release will be able to see of clients' requests. */
  readonly traffic: (LivePlan & { readonly lines: string[]; readonly document: object }) | undefined;
}

/** Prepares it and looks at what would change. */
export async function planOf(
  rollout: RolloutContext,
  input: CommandInput,
  context: CommandContext,
): Promise<Plan> {
  const { prepareUp } = await import("../../rollout/commands/prepare-up.ts");
  const prepared = await prepareUp(rollout, {
    ...readLiveFlags(input),
    shareHost: input.options["share-host"] === true,
  });
  const { requireServed } = await import("../../rollout/ingress/require-served.ts");
  await requireServed(rollout, prepared.observation);
  await rollout.prepareSecrets({ looks: true });
  for (const note of prepared.plan.notes) context.events({ type: "warning", ...note });
  const stack = await rollout.openStack(context.signal);
  const result = await stack.preview(prepared.desired);
  const { isWarmable, nothingToSend } = await import("../../rollout/release/warm-up.ts");
  const { runs, server } = rollout.config;
  if (runs.form === "template" && !isWarmable(server))
    context.events({ type: "info", message: `A release is not warmed up: ${nothingToSend}.` });
  const { nextReleaseCost } = await import("../../rollout/capacity/next-release.ts");
  const { record, routing } = prepared.plan;
  const cost = await nextReleaseCost(rollout, { record, routing, observation: prepared.observation });
  const { reachLines } = await import("../../rollout/plan/reach-lines.ts");
  const { describeCapacity } = await import("../../rollout/capacity/require-capacity.ts");
  const { requireRoomForUp } = await import("../../rollout/commands/room-for-up.ts");
  const { requireAdmitted } = await import("../../rollout/capacity/require-admitted.ts");
  const { describeGivenUp, warmSlotGivenUp } = await import("../../rollout/release/given-up.ts");
  const lost =
    runs.form === "template" && prepared.observation.routing !== undefined
      ? warmSlotGivenUp({ record, routing, observation: prepared.observation })
      : undefined;
  const { describeRequests, gateRequests } = await import("../../gates/own-requests.ts");
  const own = await gateRequests(
    runs.form === "template" ? rollout.config.rollout.gates : [],
    rollout.calls.folder,
  );
  const telling = withoutRefusals(rollout);
  await requireRoomForUp(telling, prepared);
  const admission = cost && (await requireAdmitted(telling, cost.spec, cost.slot));
  const traffic = await trafficOf(rollout, prepared);
  return {
    rollout,
    prepared,
    live: liveSlot(prepared.plan.routing),
    result,
    own: { requests: own, lines: own.map(describeRequests) },
    reach: runs.form === "template" ? reachLines(rollout.config) : [],
    givenUp: lost && { ...lost, text: describeGivenUp(lost, "a release") },
    cost: cost && {
      ...cost,
      admission,
      text: describeCapacity(cost.capacity),
      stretches: withChosenSteps(cost.stretches, traffic),
    },
    traffic,
  };
}

/** Steps that are chosen by the traffic take time as well. */
function withChosenSteps(
  stretches: ReleaseCost["stretches"],
  traffic: Plan["traffic"],
): ReleaseCost["stretches"] {
  if (traffic?.kind !== "compared" || !traffic.isAutomatic) return stretches;
  const ms = traffic.steps.reduce((sum, { holdMs }) => sum + holdMs, 0);
  const [settle, ...later] = stretches;
  const steps = { name: "steps", ms } as const;
  return settle?.name === "settle" ? [settle, steps, ...later] : [steps, ...stretches];
}

/** Where nothing is released, or nothing runs yet, there is nothing to say. */
async function trafficOf(
  rollout: RolloutContext,
  { plan, observation }: PreparedUp,
): Promise<Plan["traffic"]> {
  const { routing } = observation;
  if (rollout.config.runs.form !== "template" || routing === undefined) return undefined;
  const { describeLive, liveDocument, planLive } = await import("../../rollout/release/live-plan.ts");
  const seen = { record: plan.record, routing, observation };
  const { requireCountedCopies } = await import("../../rollout/release/require-counted-copies.ts");
  await requireCountedCopies(rollout, seen);
  const found = await planLive(rollout, seen);
  const { lines, warnings } = describeLive(found);
  for (const message of warnings) rollout.events({ type: "warning", code: "step-too-short", message });
  return { ...found, lines, document: liveDocument(found) };
}

/** A plan tells what would be refused. */
function withoutRefusals(rollout: RolloutContext): RolloutContext {
  const { config } = rollout;
  if (config.rollout.capacity === "skip") return rollout;
  return { ...rollout, config: { ...config, rollout: { ...config.rollout, capacity: "warn" } } };
}

/** The document of `--json`. Pure. */
export function document({
  rollout,
  prepared,
  live,
  result,
  cost,
  givenUp,
  traffic,
  own,
  reach,
}: Plan): Readonly<Record<string, unknown>> {
  return {
    model: rollout.config.name,
    namespace: rollout.namespace,
    context: rollout.kubernetesContext,
    namespaceExists: prepared.observation.namespaceExists,
    live,
    changes: result.changes,
    same: result.same,
    notes: prepared.plan.notes,
    release: cost === undefined ? null : costDocument(cost),
    traffic: traffic?.document ?? null,
    ownRequests: own.requests,
    reach,
    givesUp:
      givenUp === undefined
        ? null
        : { slot: givenUp.slot, release: givenUp.release, until: givenUp.until ?? null },
  };
}

function costDocument({
  capacity,
  stretches,
  admission,
}: NonNullable<Plan["cost"]>): Readonly<Record<string, unknown>> {
  const { replicas, requests, verdict, unseen } = capacity;
  return {
    replicas,
    requests,
    forSeconds: stretches.reduce((sum, { ms }) => sum + ms, 0) / 1000,
    room: verdict.kind,
    ...(admission === undefined ? {} : { refused: admission.refused, notLookedAt: admission.unseen }),
    ...(unseen.length === 0 ? {} : { unseen }),
    ...(verdict.kind === "unknown" ? { why: verdict.why } : {}),
    ...(verdict.kind === "forbidden" ? { violations: verdict.violations } : {}),
    ...(verdict.kind === "quota" ? { problems: verdict.problems } : {}),
    ...(verdict.kind === "short"
      ? {
          autoscaler: verdict.autoscaler ?? null,
          placed: verdict.fit.placed,
          shortages: verdict.fit.shortages,
        }
      : {}),
  };
}

function describeCost({ stretches, text }: ReleaseCost & { readonly text: string }): string[] {
  const total = formatDuration(stretches.reduce((sum, { ms }) => sum + ms, 0));
  const parts = stretches.map(({ name, ms }) => `${name} ${formatDuration(ms)}`).join(", ");
  return [`A release needs ${text}.`, `  It keeps them for at most ${total} beside the live ones: ${parts}.`];
}

function describe({ rollout, prepared, live, result, cost, givenUp, traffic, own, reach }: Plan): string[] {
  return [
    ...(prepared.observation.namespaceExists
      ? []
      : [`The namespace ${rollout.namespace} does not exist: \`up\` needs --create-namespace.`]),
    ...result.changes.flatMap(describeChange),
    result.changes.length === 0
      ? `No changes: ${result.same} resources are as declared. Traffic stays on ${live}.`
      : `${result.changes.length} to change, ${result.same} unchanged. Traffic stays on ${live}. \`modelswitch up\` makes the changes.`,
    ...(cost === undefined ? [] : describeCost(cost)),
    ...(traffic?.lines ?? []),
    ...own.lines,
    ...reach,
    ...(givenUp === undefined ? [] : [givenUp.text]),
  ];
}

const signs = { create: "+", update: "~", replace: "±", delete: "-", read: " " } as const;

function describeChange(change: ResourceChange): string[] {
  const lines = change.properties.map(({ path, before, after }) => {
    if (before === undefined) return `    + ${path}: ${show(after)}`;
    if (after === undefined) return `    - ${path}: ${show(before)}`;
    return `    ~ ${path}: ${show(before)} -> ${show(after)}`;
  });
  return [
    `${signs[change.operation]} ${change.operation} ${change.kind} ${change.name}`,
    // What is created is in the config file; what changes is the news.
    ...(change.operation === "create" ? [] : lines),
  ];
}

function show(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "(none)");
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
