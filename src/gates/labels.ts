import { z } from "zod";
import { otherwise } from "../config/parts/schema-parts.ts";
import { tied } from "../config/parts/tied.ts";
import type { ConfigurableGate } from "./kind.ts";
import { type BothSlots, bothSlots, bothSlotsKind, bothSlotsShape, type ParityConfig } from "./parity.ts";

/** The same inputs to both slots where the right answers are known: whether the release is wrong more often than the live one. */
export interface LabelsConfig extends Omit<ParityConfig, "tolerated"> {
  /** By how much, a share of all answers, it may be wrong more often. @default 0.005 */
  readonly tolerated?: number;
}

export interface LabelsForm {
  readonly labels: LabelsConfig;
}

export interface LabelsSettings extends BothSlots {
  readonly kind: "labels";
}

const tolerated = 0.005;

const labels = z
  .strictObject({
    ...bothSlotsShape,
    tolerated: z
      .number()
      .min(0)
      .lt(0.9)
      .optional()
      .describe(`By how much, a share of all answers, it may be wrong more often. ${otherwise(tolerated)}`),
  })
  .describe("Whether the release is wrong more often than the live model, where the right answers are known");

export const labelsGate: ConfigurableGate<LabelsForm, LabelsSettings> = {
  key: "labels",
  schema: tied<LabelsForm>()(z.object({ labels })),
  settings: ({ labels: config }, timeoutMs) => ({
    kind: "labels",
    ...bothSlots(config, timeoutMs, { against: "right", tolerated }),
  }),
  ...bothSlotsKind<LabelsSettings>("labels"),
};
