import type { ResolvedConfig } from "../../config/model/types.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { configuredNames } from "../../core/names.ts";
import { type Slot, slots } from "../../core/slots.ts";
import type { Observation } from "../observe/observation.ts";
import { differences } from "../record/differences.ts";
import { namesOfRecord, type RolloutRecord } from "../record/record.ts";

/**
 * Refuses work on a model whose objects were there before it, as long as nobody took them over.
 * @throws UserError `not-adopted`, `adoption-unfinished`, `names-changed` (exit code 2)
 */
export function requireAdopted(
  config: ResolvedConfig,
  record: RolloutRecord | undefined,
  observation: Observation,
): void {
  refuseUnfinished(record);
  if (record !== undefined) {
    const { record: _before, ...before } = namesOfRecord(record);
    const { record: _after, ...after } = configuredNames(config);
    const changes = differences(before, after, []);
    if (changes.length === 0) return;
    throw new UserError({
      code: "names-changed",
      message: `The names of a model's objects never change, and ${config.file} asks for others: ${changes.map(({ text }) => text).join("; ")}.`,
      hint:
        record.adoption === undefined
          ? "Put the former names back. To take over other objects, make a configuration of its own: `modelswitch init --from ingress/NAME`."
          : "Put the former names back. To let go of what was adopted, run `modelswitch adopt --undo`.",
      exitCode: exitCodes.usage,
      details: { differences: changes },
    });
  }
  const wanted = config.runs.slots;
  if (wanted === undefined) return;
  const there = slots.flatMap((slot) => {
    const { deployment, service } = observation.slots[slot];
    return [
      ...(wanted[slot].deployment !== undefined && deployment !== undefined
        ? [`Deployment ${deployment.name}`]
        : []),
      ...(wanted[slot].service !== undefined && service !== undefined ? [`Service ${service.name}`] : []),
    ];
  });
  if (there.length === 0) return;
  throw new UserError({
    code: "not-adopted",
    message: `${config.file} names objects that run already and are not managed by modelswitch yet: ${there.join(", ")}.`,
    hint: "`modelswitch adopt` shows what it would do and takes them over, without a restart of a pod.",
    exitCode: exitCodes.usage,
  });
}

/** What an adoption that was stopped still has to do. */
export function pendingAdoption({ adoption }: RolloutRecord): string | undefined {
  if (adoption === undefined || adoption.state === "adopted") return undefined;
  return adoption.state === "adopting"
    ? "an adoption is unfinished; `modelswitch adopt` finishes it, `modelswitch adopt --undo` gives back"
    : "what was adopted is being given back; `modelswitch adopt --undo` finishes it";
}

/** @throws UserError `adoption-unfinished` (exit code 2) */
export function refuseUnfinished(record: RolloutRecord | undefined): void {
  const adoption = record?.adoption;
  if (adoption === undefined || adoption.state === "adopted") return;
  const command = adoption.state === "adopting" ? "modelswitch adopt" : "modelswitch adopt --undo";
  throw new UserError({
    code: "adoption-unfinished",
    message: `\`${command}\`, begun at ${adoption.at} by ${adoption.by}, is running or was stopped. Traffic is where it was: on the Service ${adoption.service.name}.`,
    hint:
      adoption.state === "adopting"
        ? "`modelswitch adopt` finishes it, `modelswitch adopt --undo` gives everything back."
        : "`modelswitch adopt --undo` finishes it.",
    exitCode: exitCodes.usage,
  });
}

/** Whether a slot runs the pods that were adopted. */
export function isAsFound({ adoption, slots: runs }: RolloutRecord, slot: Slot): boolean {
  return adoption !== undefined && adoption.slot === slot && runs[slot] === adoption.release;
}

/** A Deployment that somebody deleted has no template to be left alone: it is made as the configuration says. */
export function withoutLostTemplate(record: RolloutRecord, observation: Observation): RolloutRecord {
  const { adoption } = record;
  if (adoption === undefined || adoption.state !== "adopted") return record;
  if (!isAsFound(record, adoption.slot) || observation.slots[adoption.slot].deployment !== undefined)
    return record;
  return { ...record, adoption: { ...adoption, release: 0 } };
}
