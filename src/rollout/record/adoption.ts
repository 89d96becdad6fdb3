import { z } from "zod";
import { tied } from "../../config/parts/tied.ts";
import type { AdoptedModel } from "../../core/model.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { isBookkeeping, toolAnnotation } from "./bookkeeping.ts";

/** One object as it was found, to be given back so. */
export interface FoundObject {
  readonly name: string;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Who owned which of its fields: `metadata.managedFields` without what controllers write into the status. */
  readonly managedFields: readonly unknown[];
}

/** Objects that existed before the model and became one of its slots: how they were, and how far taking them over has come. */
export interface Adoption {
  readonly slot: Slot;
  /** `adopting`, `giving-back`: a command is at work, or was stopped; nothing but that command goes on. */
  readonly state: "adopting" | "adopted" | "giving-back";
  /** ISO 8601. */
  readonly at: string;
  readonly by: string;
  /** The release that is the pods which were found; while the slot runs it, their template is left alone. */
  readonly release: number;
  readonly deployment: FoundObject & { readonly selector: Readonly<Record<string, string>> };
  /** `selector`: absent in what older versions noted. */
  readonly service: FoundObject & { readonly selector?: Readonly<Record<string, string>> | undefined };
  /** Somebody's PodDisruptionBudget guards its pods. */
  readonly budgeted?: boolean | undefined;
  readonly ingress: FoundObject & { readonly spec: Readonly<Record<string, unknown>> };
  /** Where one sized the Deployment. */
  readonly autoscaler?: FoundObject & { readonly spec: Readonly<Record<string, unknown>> };
}

const texts = z.record(z.string(), z.string());
const found = {
  name: z.string(),
  uid: z.string(),
  labels: texts,
  annotations: texts,
  managedFields: z.array(z.unknown()),
};

export const adoptionSchema = tied<Adoption>()(
  z.object({
    slot: z.enum(slots),
    state: z.enum(["adopting", "adopted", "giving-back"]),
    at: z.string(),
    by: z.string(),
    release: z.number().int(),
    deployment: z.object({ ...found, selector: texts }),
    service: z.object({ ...found, selector: texts.optional() }),
    budgeted: z.boolean().optional(),
    ingress: z.object({ ...found, spec: z.record(z.string(), z.unknown()) }),
    autoscaler: z.object({ ...found, spec: z.record(z.string(), z.unknown()) }).optional(),
  }),
);

/** What the component has to know of an adoption. */
export function adoptedModel(
  adoption: Adoption,
  phase: AdoptedModel["phase"],
  release: number | null,
): AdoptedModel {
  const kept = ({ labels, annotations }: FoundObject) => ({
    labels,
    annotations: Object.fromEntries(Object.entries(annotations).filter(([key]) => !isBookkeeping(key))),
  });
  return {
    slot: adoption.slot,
    phase,
    templateKept: release === adoption.release,
    deployment: { ...kept(adoption.deployment), selector: adoption.deployment.selector },
    service: {
      ...kept(adoption.service),
      ...(adoption.service.selector === undefined ? {} : { selector: adoption.service.selector }),
    },
    ...(adoption.budgeted === true ? { budgeted: true } : {}),
    ...(adoption.autoscaler === undefined ? {} : { autoscaler: kept(adoption.autoscaler) }),
    ingress: {
      labels: adoption.ingress.labels,
      // All others are in the configuration, which may change them.
      annotations: Object.fromEntries(
        Object.entries(adoption.ingress.annotations).filter(([key]) => toolAnnotation.test(key)),
      ),
    },
  };
}
