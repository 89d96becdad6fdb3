import { z } from "zod";
import { text } from "../config/parts/schema-parts.ts";
import { tied } from "../config/parts/tied.ts";
import type { GateVerdict } from "../core/calls.ts";
import { messageAndHint, UserError } from "../core/errors.ts";
import type { Said } from "./ask-model.ts";
import { type Asking, type AskingConfig, askingOf, askingShape } from "./asking.ts";
import type { GoldenCase } from "./cases/case.ts";
import { difference } from "./cases/compare.ts";
import { ingressGateProblems } from "./ingress-rules.ts";
import { type ConfigurableGate, lookBy } from "./kind.ts";

/** Cases whose right answers are declared. */
export interface GoldenConfig extends AskingConfig {
  /**
   * The answers to expect, where `cases` are requests of OpenAI's Batch API: the output file of that batch.
   * @default what the cases say themselves
   */
  readonly expected?: string;
}

export interface GoldenForm {
  readonly golden: GoldenConfig;
}

export interface GoldenSettings {
  readonly kind: "golden";
  readonly golden: Asking & { readonly expected: string | undefined };
}

const golden = z
  .strictObject({
    ...askingShape,
    expected: text(
      "The output file of a batch, where cases are requests of OpenAI's Batch API. Default: what the cases say themselves",
    ).optional(),
  })
  .describe("Cases whose right answers are declared: any miss fails");

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
  /** Digest of the cases. */
  digest: z.string().default(""),
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
      readonly digest: string;
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
  remembers: { nothing: { during: "", digest: "", done: 0, cases: 0, misses: [] }, schema: remembered },
  ask: async ({ io, memory }, { golden: asking }, subject, signal) => {
    const done = memory.during === duringOf(subject) ? memory.done : 0;
    if (done > 0 && done === memory.cases) {
      return { kind: "answers", digest: memory.digest, cases: memory.cases, answers: [] };
    }
    // Configurations are read without ever asking anybody.
    const [{ readExpected }, { comparedOf, requestFor, saidBy }] = await Promise.all([
      import("./cases/read-cases.ts"),
      import("./ask-model.ts"),
    ]);
    try {
      const [{ loaded }, { digestOf }] = await Promise.all([
        import("./cases/comparator.ts"),
        import("./cases/digest.ts"),
      ]);
      const comparison = await loaded(io.calls.folder, asking.comparison);
      const cases = await readExpected(io.calls.folder, asking, (answer) => comparedOf(asking, answer));
      const digest = digestOf(cases);
      // Of another file nothing is answered yet.
      const from = memory.digest === digest ? done : 0;
      const answers: { of: GoldenCase; is: Answered }[] = [];
      for (const one of cases.slice(from, from + inOneLook)) {
        const outcome = await io.ask({
          route: subject.phase === "soak" ? "clients" : "release",
          ...requestFor(asking, one.input),
          signal,
        });
        const is = answered({ ...asking, comparison }, one, saidBy(asking, outcome));
        answers.push({ of: one, is });
        // The next look goes on here.
        if (is.kind === "unanswered") break;
      }
      return { kind: "answers", digest, cases: cases.length, answers };
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
    const isSame = memory.during === during && memory.digest === sample.digest;
    const before = isSame ? memory : undefined;
    const known = sample.answers.filter(({ is }) => is.kind !== "unanswered");
    const misses = sample.answers.flatMap(({ of, is }) =>
      is.kind === "wrong" ? [{ id: of.id.slice(0, 100), why: is.why.slice(0, keptCharacters) }] : [],
    );
    const next: GoldenMemory = {
      during,
      digest: sample.digest,
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

function answered(asking: Asking, { expected }: GoldenCase, said: Said): Answered {
  switch (said.kind) {
    case "unanswered":
      return said;
    case "refused":
    case "broken":
      return { kind: "wrong", why: said.why };
    case "value": {
      const why = difference(asking.comparison, expected, said.value);
      if (why === undefined) return { kind: "right" };
      // Words about an answer may quote any of it.
      const isHidden = asking.mask.answer.length > 0;
      return { kind: "wrong", why: isHidden ? "another answer than expected (masked)" : why };
    }
  }
}

export const goldenGate: ConfigurableGate<GoldenForm, GoldenSettings> = {
  key: "golden",
  schema: tied<GoldenForm>()(z.object({ golden })),
  timeout: 10,
  settings: ({ golden: config }, timeoutMs) => ({
    kind: "golden",
    golden: { ...askingOf(config, timeoutMs), expected: config.expected },
  }),
  problems: (gate, around) => ingressGateProblems("golden", gate, around),
  require: async (settings, folder) => {
    const [{ readExpected }, { comparedOf }, { requireUsable }] = await Promise.all([
      import("./cases/read-cases.ts"),
      import("./ask-model.ts"),
      import("./cases/require-usable.ts"),
    ]);
    const { golden: asking } = settings;
    requireUsable(asking, await readExpected(folder, asking, (answer) => comparedOf(asking, answer)));
    const { loaded } = await import("./cases/comparator.ts");
    await loaded(folder, asking.comparison);
  },
  look,
};
