import { shortened } from "../../core/headline.ts";
import { isLasting, type Met, type MetKind } from "../../core/met.ts";
import { type Routing, type Side, splitOf, type TrafficSplit } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { type Rival, rivalsOf, weigh } from "../../core/split-test.ts";
import { type Testers, testerRequests } from "../../core/testers.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import { adviceFor } from "./met-advice.ts";

/** How a slot's answers look: the value of its identity. */
export type Identities = Readonly<Partial<Record<Slot, string>>>;

/** One way of asking the ingress, and the slots that may answer. */
export interface ProofView {
  /** `clients`: as clients ask; the others force a side with the preview header. */
  readonly name: "clients" | "preview" | "main" | "testers";
  /** Value of the preview header; `undefined`: without it. */
  readonly previewHeader: string | undefined;
  /** What testers send. @default nothing */
  readonly headers?: Readonly<Record<string, string>>;
  readonly expected: readonly Slot[];
  /** How often each slot is to answer, and what an ingress that is behind would show instead; nothing of this is known where a side is forced. */
  readonly split?: TrafficSplit;
  readonly rivals: readonly Rival[];
}

/**
 * The views that a routing can be proved by. A view whose slots' identities are not all known is left out: nobody could
 * tell what answered. `earlier` are routings that the ingress, or one of the controller's replicas behind one of its addresses, may still
 * show: it is told from them by how often each slot answers.
 */
export function viewsOf(
  routing: Routing,
  identities: Identities,
  /** As routers say it. */
  force: (routing: Routing, side: Side) => string | undefined,
  earlier: readonly Routing[] = [],
  controllerReplicas = 1,
  /** How the ingress really shares requests by a routing. */
  shares: (routing: Routing) => TrafficSplit = splitOf,
  testers?: Testers,
): ProofView[] {
  const split = shares(routing);
  const rivals = rivalsOf(split, earlier.map(shares), controllerReplicas);
  const declared = splitOf(routing);
  const expected = slots.filter((slot) => declared[slot] > 0);
  const views: ProofView[] = [{ name: "clients", previewHeader: undefined, expected, split, rivals }];
  for (const [name, side] of forcedViews) {
    const previewHeader = force(routing, side);
    if (previewHeader !== undefined)
      views.push({ rivals: [], name, previewHeader, expected: [routing[side]] });
  }
  views.push(...testerViews(routing, testers));
  return views.filter((view) => view.expected.every((slot) => identities[slot] !== undefined));
}

/** What testers get. While traffic is shared and they are with everybody, nothing tells them from others. */
function testerViews(routing: Routing, testers: Testers | undefined): ProofView[] {
  const split = splitOf(routing);
  const slot = routing.testers ?? slots.find((one) => split[one] === 100);
  if (testers === undefined || slot === undefined) return [];
  return testerRequests(testers).map((headers) => ({
    ...{ rivals: [], name: "testers", previewHeader: undefined },
    headers,
    expected: [slot],
  }));
}

const forcedViews = [
  ["preview", "candidate"],
  ["main", "main"],
] as const;

export type ProbeOutcome =
  /** An answer; `identity` is absent when it carries none or is not a 2xx. */
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly identity: string | undefined;
      /** What it is, where it is none of the model and something is known of it. */
      readonly met?: Met;
      readonly truncated?: boolean;
    }
  /** Somebody limits how often may be asked: it says nothing of the routing, for or against. */
  | { readonly kind: "unanswered"; readonly status: number; readonly met: Met }
  | { readonly kind: "error"; readonly message: string };

/** One view at one address. */
export interface Lane {
  readonly endpoint: Endpoint;
  readonly view: ProofView;
  /** The host that is asked for, where the model has several. */
  readonly host: string | undefined;
  /** Expected answers in a row, up to now. */
  readonly consecutive: number;
  /** How much speaks against each rival of the view. */
  readonly scores: readonly number[];
  /** How often each slot answered. */
  readonly answers: TrafficSplit;
  readonly probes: number;
  /** How often each thing that was not expected was seen. */
  readonly unexpected: Readonly<Record<string, number>>;
  /** How often somebody's limit was met in place of an answer. */
  readonly unanswered: Readonly<Record<string, number>>;
  /** What was met in place of answers of the model. */
  readonly met: readonly MetKind[];
  /** Outcomes in a row, up to now, that waiting does not change. */
  readonly barred: number;
  /** Identities of neither slot that were seen. */
  readonly strangers: readonly string[];
  /** The last outcome, in words. */
  readonly last: string | undefined;
}

export function newLane(endpoint: Endpoint, view: ProofView, host?: string): Lane {
  return {
    endpoint,
    view,
    host,
    consecutive: 0,
    scores: view.rivals.map(() => 0),
    answers: { blue: 0, green: 0 },
    probes: 0,
    unexpected: {},
    unanswered: {},
    met: [],
    barred: 0,
    strangers: [],
    last: undefined,
  };
}

/** What one more outcome makes of a lane: anything but an expected answer starts the count anew, unless it was nobody's. */
export function advance(lane: Lane, outcome: ProbeOutcome, identities: Identities): Lane {
  const seen = describeOutcome(outcome, identities);
  const kind = outcome.kind === "error" ? undefined : outcome.met?.kind;
  const met = kind === undefined || lane.met.includes(kind) ? lane.met : [...lane.met, kind];
  if (outcome.kind === "unanswered") {
    const unanswered = { ...lane.unanswered, [seen]: (lane.unanswered[seen] ?? 0) + 1 };
    return { ...lane, probes: lane.probes + 1, unanswered, met, last: seen };
  }
  const slot = slotOf(outcome, identities);
  const expected = slot !== undefined && lane.view.expected.includes(slot);
  return {
    ...lane,
    probes: lane.probes + 1,
    consecutive: expected ? lane.consecutive + 1 : 0,
    scores: weighed(lane, expected ? slot : undefined),
    answers: slot === undefined ? lane.answers : { ...lane.answers, [slot]: lane.answers[slot] + 1 },
    unexpected: expected ? lane.unexpected : { ...lane.unexpected, [seen]: (lane.unexpected[seen] ?? 0) + 1 },
    met,
    barred: kind !== undefined && isLasting(kind) ? lane.barred + 1 : 0,
    strangers: withStranger(lane.strangers, outcome, identities),
    last: seen,
  };
}

function slotOf(outcome: ProbeOutcome, identities: Identities): Slot | undefined {
  if (outcome.kind !== "answer" || outcome.identity === undefined) return undefined;
  return slots.find((slot) => identities[slot] === outcome.identity);
}

function weighed({ view: { split, rivals }, scores }: Lane, answer: Slot | undefined): readonly number[] {
  return rivals.map((rival, index) =>
    answer === undefined || split === undefined ? 0 : weigh(scores[index] ?? 0, answer, split, rival),
  );
}

/** How much of the proof of a lane there is, 0 to 1. */
export function shareProved({ consecutive, scores, view }: Lane, needed: number): number {
  const each = view.rivals.map(({ threshold }, index) => (scores[index] ?? 0) / threshold);
  return Math.min(1, consecutive / needed, ...each);
}

function withStranger(
  known: readonly string[],
  outcome: ProbeOutcome,
  identities: Identities,
): readonly string[] {
  if (outcome.kind !== "answer" || outcome.identity === undefined) return known;
  const isKnown = [...known, ...slots.map((slot) => identities[slot])].includes(outcome.identity);
  return isKnown ? known : [...known, outcome.identity];
}

function describeOutcome(outcome: ProbeOutcome, identities: Identities): string {
  if (outcome.kind === "error") return outcome.message;
  if (outcome.kind === "unanswered") return outcome.met.why;
  const { status, identity, met, truncated } = outcome;
  if (met !== undefined) return met.why;
  if (identity === undefined) {
    return `HTTP ${status} without an identity${truncated === true ? " (the answer is too large to be read)" : ""}`;
  }
  const known = slots.filter((slot) => identities[slot] === identity);
  return `an answer of ${known.length > 0 ? `${known.join(" or ")} ` : "neither slot "}(${shortened(identity, 200)})`;
}

export interface ProofEvidence {
  readonly probes: number;
  readonly lanes: readonly {
    readonly endpoint: string;
    readonly view: ProofView["name"];
    readonly host?: string;
    readonly expected: readonly Slot[];
    readonly consecutive: number;
    readonly probes: number;
    /** How often each slot answered. */
    readonly answers: TrafficSplit;
    readonly unexpected: Readonly<Record<string, number>>;
    /** How often somebody's limit was met; it counts for nothing. */
    readonly unanswered: Readonly<Record<string, number>>;
    readonly strangers: readonly string[];
    readonly last: string | undefined;
  }[];
}

export type ProofVerdict =
  | { readonly state: "proved"; readonly evidence: ProofEvidence }
  | {
      readonly state: "open";
      readonly evidence: ProofEvidence;
      readonly missing: readonly string[];
      /** How to go on, where something that is known was met in place of the model. */
      readonly advice: readonly string[];
    };

/** Whether every lane saw `needed` expected answers in a row, and enough of them to rule out the rivals of its view. */
export function proofVerdict(lanes: readonly Lane[], needed: number): ProofVerdict {
  const evidence: ProofEvidence = {
    probes: lanes.reduce((sum, lane) => sum + lane.probes, 0),
    lanes: lanes.map(({ endpoint, view, ...lane }) => ({
      endpoint: endpoint.url,
      view: view.name,
      ...(lane.host === undefined ? {} : { host: lane.host }),
      expected: view.expected,
      consecutive: lane.consecutive,
      probes: lane.probes,
      answers: lane.answers,
      unexpected: lane.unexpected,
      unanswered: lane.unanswered,
      strangers: lane.strangers,
      last: lane.last,
    })),
  };
  const open = lanes.filter((lane) => shareProved(lane, needed) < 1);
  if (open.length === 0) return { state: "proved", evidence };
  const advice = adviceFor(open.flatMap(({ met }) => met));
  return { state: "open", evidence, missing: open.map(describeLane), advice };
}

/**
 * A slot whose answers all have the same identity of neither slot, where only that slot was to answer: the identity that is known of it
 * is not true. `undefined`: there is none.
 */
export function untrueIdentity({
  lanes,
}: ProofEvidence): { readonly slot: Slot; readonly seen: string } | undefined {
  for (const slot of slots) {
    const own = lanes.filter(({ expected }) => expected.every((one) => one === slot));
    const [seen, ...others] = new Set(own.flatMap(({ strangers }) => strangers));
    const isNeverRight = own.every(({ strangers, consecutive }) => strangers.length > 0 && consecutive === 0);
    if (seen !== undefined && others.length === 0 && isNeverRight) return { slot, seen };
  }
  return undefined;
}

function viewText({ previewHeader, headers }: ProofView): string {
  const [header] = Object.entries(headers ?? {});
  if (header !== undefined) return `as testers ask, with \`${header[0]}: ${header[1]}\``;
  return previewHeader === undefined ? "as clients ask" : `with the preview header \`${previewHeader}\``;
}

function describeLane(lane: Lane): string {
  const what = mostOf(lane.unexpected);
  const limits = mostOf(lane.unanswered);
  const limited = limits.length === 0 ? "" : `; not answered, and not counted: ${limits.join(", ")}`;
  const host = lane.host === undefined ? "" : ` for ${lane.host}`;
  return `${lane.endpoint.url}${host}, ${viewText(lane.view)}: ${expectedText(lane)} expected, ${
    what.length === 0 ? seenText(lane) : `seen ${what.join(", ")}`
  }${limited}`;
}

function mostOf(counts: Readonly<Record<string, number>>): string[] {
  const seen = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  return seen.slice(0, 3).map(([text, count]) => `${count} times ${text}`);
}

function expectedText({ view: { expected, split } }: Lane): string {
  if (split === undefined || expected.length < 2) return expected.join(" or ");
  return expected.map((slot) => `${split[slot]} % ${slot}`).join(", ");
}

function seenText({ view, answers, probes }: Lane): string {
  if (view.rivals.length === 0 || probes === 0) return `${answers.blue + answers.green} answers seen so far`;
  return `seen ${slots.map((slot) => `${answers[slot]} times ${slot}`).join(", ")}`;
}
