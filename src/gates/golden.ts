import { z } from "zod";
import { absolutePath, count, otherwise, text } from "../config/parts/schema-parts.ts";
import { tied } from "../config/parts/tied.ts";
import type { GateVerdict } from "../core/calls.ts";
import { messageAndHint, UserError } from "../core/errors.ts";
import { jsonAt } from "../core/json-path.ts";
import type { GoldenCase } from "./cases/case.ts";
import { type Comparison, difference } from "./cases/compare.ts";
import { anyCertificate, ingressGateProblems, ingressHeaders } from "./ingress-rules.ts";
import type { IngressOutcome } from "./io.ts";
import { type ConfigurableGate, lookBy } from "./kind.ts";
import { cameTo } from "./outcome.ts";
import { openInference } from "./protocols/open-inference.ts";
import { plainJson } from "./protocols/plain-json.ts";
import { type Protocol, readJson } from "./protocols/protocol.ts";

const protocols = { "open-inference": openInference, json: plainJson } as const satisfies Record<
  string,
  Protocol
>;
type ProtocolName = keyof typeof protocols;

/** How answers are compared, as a configuration says it. */
export type CompareConfig =
  | "exact"
  | "label"
  | "text"
  | "structure"
  | { readonly absolute?: number; readonly relative?: number }
  | { readonly topK: number };

/** Cases whose right answers are declared. */
export interface GoldenConfig {
  /** A file of cases from the folder of the configuration: JSON Lines, or CSV where it ends so. */
  readonly cases: string;
  /** As clients ask, for example `/v2/models/fraud/infer`. */
  readonly path: string;
  /** How inputs and answers look. @default open-inference under /v2/, else json */
  readonly protocol?: ProtocolName;
  /** What makes an answer right. @default exact */
  readonly compare?: CompareConfig;
  /** Dot-separated path into what the protocol compares. @default all of it */
  readonly answer?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Take any certificate of the ingress, over https: whoever answers in its place gets the inputs. @default false */
  readonly insecure?: boolean;
}

export interface GoldenForm {
  readonly golden: GoldenConfig;
}

export interface GoldenSettings {
  readonly kind: "golden";
  readonly golden: {
    readonly cases: string;
    readonly path: string;
    readonly protocol: ProtocolName;
    readonly comparison: Comparison;
    readonly answer: string | undefined;
    readonly headers: Readonly<Record<string, string>>;
    readonly insecure: boolean;
    readonly timeoutMs: number;
  };
}

const golden = z
  .strictObject({
    cases: text("A file of cases from the folder of the configuration: JSON Lines, or CSV where it ends so"),
    path: absolutePath.describe("As clients ask, for example /v2/models/fraud/infer"),
    protocol: z
      .enum(["open-inference", "json"])
      .optional()
      .describe("How inputs and answers look. Default: open-inference under /v2/, else json"),
    compare: z
      .union([
        z.enum(["exact", "label", "text", "structure"]),
        z.strictObject({
          absolute: z.number().min(0).optional().describe("Numbers may be off by so much"),
          relative: z.number().min(0).optional().describe("Or by this part of the number expected"),
        }),
        z.strictObject({ topK: count("The label is among so many", 1) }),
      ])
      .optional()
      .describe(`What makes an answer right. ${otherwise("exact")}`),
    answer: text("Dot-separated path into what the protocol compares. Default: all of it").optional(),
    headers: ingressHeaders,
    insecure: anyCertificate,
  })
  .describe("Cases whose right answers are declared: any miss fails");

function comparisonOf(compare: CompareConfig = "exact"): Comparison {
  if (typeof compare === "string") return { kind: compare };
  if ("topK" in compare) return { kind: "top-k", k: compare.topK };
  return { kind: "numbers", absolute: compare.absolute ?? 0, relative: compare.relative ?? 0 };
}

function settingsOf({ golden: config }: GoldenForm, timeoutMs: number): GoldenSettings {
  const { cases, path, protocol, compare, answer, headers, insecure } = config;
  return {
    kind: "golden",
    golden: {
      cases,
      path,
      protocol: protocol ?? (/\/v2\//.test(path) ? "open-inference" : "json"),
      comparison: comparisonOf(compare),
      answer,
      headers: headers ?? {},
      insecure: insecure ?? false,
      timeoutMs,
    },
  };
}

/** What became of one case. */
type Answered =
  | { readonly kind: "right" }
  | { readonly kind: "wrong"; readonly why: string }
  /** Nobody can say: the ingress was not reached, or limits requests. */
  | { readonly kind: "unanswered"; readonly why: string };

const example = z.object({ id: z.string(), why: z.string() });
const remembered = z.object({
  /** The phase and step that the rest is of. */
  during: z.string(),
  /** Cases that were answered. */
  done: z.number().int().min(0),
  /** Cases of the file. */
  cases: z.number().int().min(0),
  /** The first ones that were answered wrongly: one is enough, whatever the others are. */
  misses: z.array(example),
});
type GoldenMemory = z.infer<typeof remembered>;

type GoldenSample =
  | {
      readonly kind: "answers";
      readonly cases: number;
      readonly answers: readonly { readonly of: GoldenCase; readonly is: Answered }[];
    }
  /** The file cannot be read, or a case in it is none. */
  | { readonly kind: "no-cases"; readonly why: string };

/** Cases in one look: the verdict comes soon, and what was answered is not asked again after a kill. */
const inOneLook = 50;
/** Examples that are kept, and their length. */
const keptExamples = 20;
const keptCharacters = 300;

/** Whether the release gives the answers that were declared. */
const look = lookBy<GoldenSettings, GoldenSample, GoldenMemory>({
  remembers: { nothing: { during: "", done: 0, cases: 0, misses: [] }, schema: remembered },
  ask: async ({ io, memory }, { golden: asking }, subject, signal) => {
    const from = memory.during === duringOf(subject) ? memory.done : 0;
    if (from > 0 && from === memory.cases) return { kind: "answers", cases: memory.cases, answers: [] };
    // Configurations are read without ever asking anybody.
    const { readCases } = await import("./cases/read-cases.ts");
    const protocol: Protocol = protocols[asking.protocol];
    try {
      const cases = await readCases(io.calls.folder, asking.cases);
      const answers: { of: GoldenCase; is: Answered }[] = [];
      for (const one of cases.slice(from, from + inOneLook)) {
        const outcome = await io.ask({
          route: subject.phase === "soak" ? "clients" : "release",
          path: asking.path,
          method: "POST",
          headers: asking.headers,
          body: JSON.stringify(protocol.body(one.input)),
          insecure: asking.insecure,
          timeoutMs: asking.timeoutMs,
          signal,
        });
        const is = answered(asking, one, outcome, protocol);
        answers.push({ of: one, is });
        // The next look goes on here.
        if (is.kind === "unanswered") break;
      }
      return { kind: "answers", cases: cases.length, answers };
    } catch (error) {
      if (!(error instanceof UserError) || signal.aborted) throw error;
      return { kind: "no-cases", why: messageAndHint(error) };
    }
  },
  judge: (memory, sample, { golden: asking }, subject) => {
    // What cannot be read is no verdict on the release.
    if (sample.kind === "no-cases")
      return { memory, verdict: { verdict: "inconclusive", evidence: sample.why } };
    const during = duringOf(subject);
    const before = memory.during === during ? memory : undefined;
    const known = sample.answers.filter(({ is }) => is.kind !== "unanswered");
    const misses = sample.answers.flatMap(({ of, is }) =>
      is.kind === "wrong" ? [{ id: of.id, why: is.why.slice(0, keptCharacters) }] : [],
    );
    const next: GoldenMemory = {
      during,
      done: (before?.done ?? 0) + known.length,
      cases: sample.cases,
      misses: [...(before?.misses ?? []), ...misses].slice(0, keptExamples),
    };
    const unanswered = sample.answers.flatMap(({ is }) => (is.kind === "unanswered" ? [is.why] : []))[0];
    return { memory: next, verdict: verdictOf(asking.cases, next, unanswered) };
  },
});

function duringOf({
  phase,
  stepIndex,
}: {
  readonly phase: string;
  readonly stepIndex?: number | undefined;
}): string {
  return phase === "shift" ? `shift ${stepIndex ?? 0}` : phase;
}

function verdictOf(
  file: string,
  { done, cases, misses }: GoldenMemory,
  unanswered: string | undefined,
): GateVerdict {
  const data = { file, cases, answered: done, misses };
  const [miss, ...others] = misses;
  if (miss !== undefined) {
    const more = others.length === 0 ? "" : `, and ${others.length} others`;
    return { verdict: "fail", evidence: `case ${miss.id} of ${file}: ${miss.why}${more}`, data };
  }
  const evidence = `${done} of ${cases} cases as declared`;
  if (unanswered !== undefined)
    return { verdict: "inconclusive", evidence: `${evidence}; ${unanswered}`, data };
  return { verdict: done === cases ? "pass" : "hold", evidence, data };
}

function answered(
  { comparison, answer: path }: GoldenSettings["golden"],
  { expected }: GoldenCase,
  outcome: IngressOutcome,
  protocol: Protocol,
): Answered {
  const came = cameTo(outcome);
  if (came.kind !== "answer") return came;
  const { body, truncated } = came.answer;
  if (truncated === true) return { kind: "wrong", why: "the answer is too large to be read" };
  const read = readJson(body);
  const value = read.kind === "nothing" ? read : protocol.value(read.value);
  if (value.kind === "nothing") return { kind: "wrong", why: value.why };
  const compared = path === undefined ? value.value : jsonAt(value.value, path);
  const why = difference(comparison, expected, compared);
  return why === undefined ? { kind: "right" } : { kind: "wrong", why };
}

export const goldenGate: ConfigurableGate<GoldenForm, GoldenSettings> = {
  key: "golden",
  schema: tied<GoldenForm>()(z.object({ golden })),
  timeout: 10,
  settings: settingsOf,
  problems: (gate, around) => ingressGateProblems("golden", gate, around),
  require: async (settings, folder) => {
    const { readCases } = await import("./cases/read-cases.ts");
    const protocol: Protocol = protocols[settings.golden.protocol];
    for (const { input } of await readCases(folder, settings.golden.cases)) protocol.body(input);
  },
  look,
};
