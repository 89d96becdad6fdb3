import { z } from "zod";
import type { ConfigProblem } from "../config/parts/problem.ts";
import { count, otherwise, text } from "../config/parts/schema-parts.ts";
import { tied } from "../config/parts/tied.ts";
import { type Fields, isFields } from "../core/fields.ts";
import { defaultAlpha, pairMargins } from "../core/statistics/lines.ts";
import { type Asking, type AskingConfig, askingOf, askingShape } from "./asking.ts";
import { ingressGateProblems } from "./ingress-rules.ts";
import type { GateSubject } from "./io.ts";
import { type ConfigurableGate, type GateAround, lookBy, weightKey } from "./kind.ts";
import type { ParitySample } from "./parity/ask.ts";
import { judgeParity } from "./parity/judge.ts";
import { nothing, type ParityMemory, remembered } from "./parity/memory.ts";

/** The same inputs to both slots: whether the release answers as the live one does. */
export interface ParityConfig extends AskingConfig {
  /**
   * Dot-separated path into the input: each of its values, at most 49 of them, is judged by itself, too. Cases may name it beside their input,
   * instead.
   * @default what cases have as `segment`
   */
  readonly segments?: string;
  /** Most inputs of the file. @default 10000 */
  readonly inputs?: number;
  /** Share of the answers, 0 to 1, that may be others, beside those in which live differs from itself. @default 0.01 */
  readonly tolerated?: number;
  /** Requests a second to the live slot, at most; never more than a tenth of clients', where these are counted. @default 5, where nobody counts */
  readonly pace?: number;
  /** Its part of the release's alpha, beside those of other gates that judge by statistics, above 0. @default 1 */
  readonly weight?: number;
}

export interface ParityForm {
  readonly parity: ParityConfig;
}

export interface ParitySettings extends BothSlots {
  readonly kind: "parity";
}

/** How both slots are asked and judged, resolved. */
export interface BothSlots {
  readonly against: "each-other" | "right";
  readonly asking: Asking;
  readonly segments: string | undefined;
  readonly inputs: number;
  readonly tolerated: number;
  readonly pace: number | undefined;
  readonly weight: number;
  readonly alpha: number;
}

export const parityDefaults = { inputs: 10_000, pace: 5 } as const;

const segmentsKey = text(
  "Dot-separated path into the input: each value is judged by itself, too. Default: what cases have as segment",
).optional();

/** The keys of gates that ask both slots; `tolerated`: as the kind says it. */
export const bothSlotsShape = {
  ...askingShape,
  segments: segmentsKey,
  inputs: count(`Most inputs of the file. ${otherwise(parityDefaults.inputs)}`, 1).optional(),
  pace: z
    .number()
    .positive()
    .max(1000)
    .optional()
    .describe(
      `Requests a second to the live slot, at most; never over a tenth of clients' where these are counted. ${otherwise(parityDefaults.pace)}`,
    ),
  weight: weightKey,
} as const;

const parity = z
  .strictObject({
    ...bothSlotsShape,
    tolerated: z
      .number()
      .min(0)
      .lt(0.9)
      .optional()
      .describe(
        `Share of the answers that may be others, beside live's own noise. ${otherwise(pairMargins.fail)}`,
      ),
  })
  .describe("Compares the answers of both slots to the same inputs");

/** Pure. */
export function bothSlots(
  config: ParityConfig,
  timeoutMs: number,
  how: Pick<BothSlots, "against" | "tolerated">,
): BothSlots {
  return {
    asking: askingOf(config, timeoutMs),
    against: how.against,
    segments: config.segments,
    inputs: config.inputs ?? parityDefaults.inputs,
    tolerated: config.tolerated ?? how.tolerated,
    pace: config.pace,
    weight: config.weight ?? 1,
    alpha: defaultAlpha,
  };
}

/** What all gates that ask both slots have in common. `key`: of their kind. */
export function bothSlotsKind<Settings extends BothSlots & object>(key: string) {
  return {
    timeout: 10,
    every: 1,
    statistical: { weightOf: ({ weight }: Settings) => weight, needsSteps: false },
    // Later there is no slot that clients do not use, or none to compare with.
    phases: ["verify"],
    problems: (gate: Fields, around: GateAround) => [
      ...ingressGateProblems(key, { phases: ["verify"], ...gate }, around),
      ...shownSegments(key, gate),
    ],
    require: async ({ asking, against }: Settings, folder: string) => {
      const [{ readCases }, { requireUsable }, { loaded }] = await Promise.all([
        import("./cases/read-cases.ts"),
        import("./cases/require-usable.ts"),
        import("./cases/comparator.ts"),
      ]);
      const cases = await readCases(folder, asking.cases, against === "right" ? "expected" : "input");
      requireUsable(asking, cases);
      await loaded(folder, asking.comparison);
    },
    look: lookBy<Settings, ParitySample, ParityMemory>({
      remembers: { nothing, schema: remembered, question: questionOf },
      ask: async ({ io, memory }, settings, subject, signal) => {
        const { askPairs } = await import("./parity/ask.ts");
        return await askPairs(io, memory, settings, seedOf(subject), signal);
      },
      judge: (memory, sample, settings) => judgeParity(memory, sample, settings),
    }),
  } as const;
}

export const parityGate: ConfigurableGate<ParityForm, ParitySettings> = {
  key: "parity",
  schema: tied<ParityForm>()(z.object({ parity })),
  settings: ({ parity: config }, timeoutMs) => ({
    kind: "parity",
    ...bothSlots(config, timeoutMs, { against: "each-other", tolerated: pairMargins.fail }),
  }),
  ...bothSlotsKind<ParitySettings>("parity"),
};

/** Reports name segments: what is masked cannot be one. */
function shownSegments(key: string, { [key]: asking }: Fields): ConfigProblem[] {
  if (!isFields(asking) || typeof asking.segments !== "string" || !Array.isArray(asking.mask)) return [];
  const path = `input.${asking.segments}`;
  const hides = asking.mask.some((one) => typeof one === "string" && covers(one.split("."), path.split(".")));
  const message = `"${asking.segments}" is masked, but its values are the names of the segments in the report; choose another field`;
  return hides ? [{ path: [key, "segments"], message }] : [];
}

function covers(mask: readonly string[], path: readonly string[]): boolean {
  return mask.every((key, index) => path[index] === undefined || key === "*" || key === path[index]);
}

/** What the evidence is about: pairs that were compared otherwise are none of it. */
function questionOf({ against, asking }: BothSlots): string {
  const { path, protocol, comparison, answer } = asking;
  return JSON.stringify([against, path, protocol, comparison, answer ?? null]);
}

/** A command that goes on draws as the one before. */
export function seedOf({ startedAt, release }: GateSubject): string {
  return `${startedAt} ${release}`;
}
