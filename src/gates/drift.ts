import { z } from "zod";
import { count, otherwise } from "../config/parts/schema-parts.ts";
import { tied } from "../config/parts/tied.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import { defaultAlpha } from "../core/statistics/lines.ts";
import { type Asking, type AskingConfig, askingOf, askingShape } from "./asking.ts";
import type { DriftSample } from "./drift/ask.ts";
import { type PredictionKind, predictionKinds } from "./drift/bins.ts";
import { fewestInputs, tooFew } from "./drift/inputs.ts";
import { judgeDrift } from "./drift/judge.ts";
import { type DriftMemory, nothing, remembered } from "./drift/memory.ts";
import { ingressGateProblems } from "./ingress-rules.ts";
import { type ConfigurableGate, lookBy, weightKey } from "./kind.ts";
import { parityDefaults, seedOf } from "./parity.ts";

/** Whether the release's predictions are distributed as the live model's, over the same inputs. */
export interface DriftConfig extends Omit<AskingConfig, "compare"> {
  /** `asked`: the live slot answers the same inputs. `recorded`: the cases have as `expected` what it answered. @default asked */
  readonly live?: "asked" | "recorded";
  /** What predictions are. @default as live's first one looks */
  readonly as?: PredictionKind;
  /** Most inputs of the file, at least 100. @default 2000 */
  readonly inputs?: number;
  /** Requests a second to each slot, at most; never more than a tenth of clients', where these are counted. @default 5, where nobody counts */
  readonly pace?: number;
  /** Whether a drift sends the release back. @default false: a person decides */
  readonly fail?: boolean;
  /** With `fail`, its part of the release's alpha, beside those of other gates that judge by statistics, above 0. @default 1 */
  readonly weight?: number;
}

export interface DriftForm {
  readonly drift: DriftConfig;
}

export interface DriftSettings {
  readonly kind: "drift";
  readonly asking: Asking;
  readonly live: "asked" | "recorded";
  readonly as: PredictionKind | undefined;
  readonly inputs: number;
  readonly pace: number | undefined;
  readonly fails: boolean;
  readonly weight: number;
  readonly alpha: number;
}

const defaultInputs = 2_000;

const { compare: _compared, ...shape } = askingShape;

const drift = z
  .strictObject({
    ...shape,
    live: z
      .enum(["asked", "recorded"])
      .optional()
      .describe(
        `asked: the live slot answers the same inputs; recorded: the cases have as expected what it answered. ${otherwise("asked")}`,
      ),
    as: z
      .enum(predictionKinds)
      .optional()
      .describe("What predictions are. Default: as live's first one looks"),
    inputs: count(`Most inputs of the file. ${otherwise(defaultInputs)}`, fewestInputs).optional(),
    pace: z
      .number()
      .positive()
      .max(1000)
      .optional()
      .describe(
        `Requests a second to each slot, at most; never over a tenth of clients' where these are counted. ${otherwise(parityDefaults.pace)}`,
      ),
    fail: z
      .boolean()
      .optional()
      .describe(`Whether a drift sends the release back. ${otherwise(false)}: a person decides`),
    weight: weightKey,
  })
  .describe("Compares the distribution of the release's predictions with that of the live model's");

export const driftGate: ConfigurableGate<DriftForm, DriftSettings> = {
  key: "drift",
  schema: tied<DriftForm>()(z.object({ drift })),
  timeout: 10,
  every: 1,
  // Later there is no slot that clients do not use, or none to compare with.
  phases: ["verify"],
  statistical: { weightOf: ({ fails, weight }) => (fails ? weight : undefined), needsSteps: false },
  settings: ({ drift: config }, timeoutMs) => ({
    kind: "drift",
    asking: askingOf(config, timeoutMs),
    live: config.live ?? "asked",
    as: config.as,
    inputs: config.inputs ?? defaultInputs,
    pace: config.pace,
    fails: config.fail ?? false,
    weight: config.weight ?? 1,
    alpha: defaultAlpha,
  }),
  problems: (gate, around) => ingressGateProblems("drift", { phases: ["verify"], ...gate }, around),
  require: async ({ asking, live }, folder) => {
    const [{ readCases }, { requestFor }] = await Promise.all([
      import("./cases/read-cases.ts"),
      import("./ask-model.ts"),
    ]);
    const cases = await readCases(folder, asking.cases, live === "recorded" ? "expected" : "input");
    for (const { input } of cases) requestFor(asking, input);
    if (cases.length >= fewestInputs) return;
    throw new UserError({
      code: "cases-too-few",
      message: `${tooFew(asking.cases, cases.length)}.`,
      hint: "Take more inputs of the traffic, or compare answers one by one with a gate `parity`.",
      exitCode: exitCodes.usage,
    });
  },
  look: lookBy<DriftSettings, DriftSample, DriftMemory>({
    remembers: { nothing, schema: remembered },
    ask: async ({ io, memory }, settings, subject, signal) => {
      const { askPredictions } = await import("./drift/ask.ts");
      return await askPredictions(io, memory, settings, seedOf(subject), signal);
    },
    judge: judgeDrift,
  }),
};
