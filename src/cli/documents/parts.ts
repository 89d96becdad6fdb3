import { z } from "zod";
import { exitCodes } from "../../core/errors.ts";
import { phases, rolloutKinds, stages } from "../../core/rollout/state.ts";
import { slots } from "../../core/slots.ts";

/** Version of the documents of `--json`. Within one version keys are only ever added. */
export const documentVersion = 1;

/** What every document of a query begins with. */
export const head = { schemaVersion: z.literal(documentVersion) };

export const slot = z.enum(slots);
export const time = z.iso.datetime({ offset: true }).describe("ISO 8601");
export const count = z.int().min(0);
export const percent = z.number().min(0).max(100).describe("Per cent");
export const phase = z.enum(phases);
export const stage = z
  .enum(stages)
  .describe("Approval and hooks before the phase, the phase itself, hooks after it");
export const direction = z.enum(["forward", "back"]).describe("back: traffic returns to where it was");
export const rolloutKind = z.enum(rolloutKinds);
export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/)
  .describe("SHA-256 in hex");
export const split = z.looseObject({ blue: percent, green: percent });
export const eachSlot = <T extends z.ZodType>(one: T) => z.looseObject({ blue: one, green: one });

/** What most documents say first. */
export const about = {
  model: z.string().describe("Name of the model"),
  namespace: z.string(),
};
export const aboutContext = { ...about, context: z.string().describe("Context of the kubeconfig") };

const failure = z.looseObject({
  code: z.string().describe("Stable; docs/troubleshooting.md lists them"),
  message: z.string().describe("For people"),
  hint: z.string().optional(),
  exitCode: z.literal(Object.values(exitCodes)),
});

/** One document about one model, or the same of several. */
export function oneOrSeveral<T extends z.ZodRawShape>(shape: T) {
  const target = { model: z.string(), environment: z.string().optional() };
  return z.union([
    z.looseObject({ ...head, ...shape }),
    z.looseObject({
      ...head,
      models: z
        .array(
          z.union([z.looseObject({ ...shape, ...target }), z.looseObject({ ...target, error: failure })]),
        )
        .describe("Where several are meant: each by itself, or what went wrong with it"),
    }),
  ]);
}
