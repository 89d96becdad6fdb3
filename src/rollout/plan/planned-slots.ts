import type { ResolvedConfig } from "../../config/model/types.ts";
import type { SlotSpec } from "../../core/model.ts";
import type { Note } from "../../core/note.ts";
import { otherSlot, type Slot, slots } from "../../core/slots.ts";
import type { Difference } from "../record/differences.ts";
import { nextReleaseNumber, type ReleaseRecord, releaseOf, type SlotScaling } from "../record/record.ts";
import {
  declaredReplicas,
  isOnlyVersions,
  releaseDifferences,
  releaseSpecOf,
  scalingOf,
} from "../record/release-spec.ts";
import type { PlanInput } from "./plan-input.ts";
import { liveChangeRefused } from "./plan-refusals.ts";
import { isSettled, planFresh, unrecorded } from "./planned-fresh.ts";

/** What both slots run, and in which size. */
export interface PlannedSlots {
  readonly releases: readonly ReleaseRecord[];
  readonly slots: Readonly<Record<Slot, number | null>>;
  readonly replicas: Readonly<Record<Slot, number>>;
  readonly scaling: Readonly<Partial<Record<Slot, SlotScaling>>>;
}

/** Both slots run what the configuration names; a slot whose spec changed gets a new release. */
export function planSlots(
  input: PlanInput,
  wanted: Readonly<Record<Slot, SlotSpec>>,
  carries: (slot: Slot) => boolean,
  notes: Note[],
): PlannedSlots {
  const { config, record, now, by } = input;
  const releases = [...(record?.releases ?? [])];
  const numbers: Record<Slot, number | null> = { blue: null, green: null };
  for (const slot of slots) {
    const former = record === undefined ? undefined : releaseOf(record, slot);
    const spec = releaseSpecOf(wanted[slot], input.versions ?? {}, former?.spec);
    const changes =
      former === undefined ? unrecorded(input, slot, spec) : releaseDifferences(former.spec, spec);
    if (former !== undefined && isOnlyVersions(changes) && carries(slot) && !input.allowLiveChange) {
      numbers[slot] = former.number;
      notes.push(versionsDiffer(input.config, former, slot, changes));
      continue;
    }
    if (changes.length > 0 && carries(slot) && !input.allowLiveChange)
      throw liveChangeRefused(config, slot, changes);
    if (former !== undefined && changes.length === 0) {
      numbers[slot] = former.number;
      releases[releases.indexOf(former)] = { ...former, spec };
    } else {
      const number = Math.max(nextReleaseNumber(record), ...releases.map((release) => release.number + 1));
      releases.push({ number, slot, spec, createdAt: now, by });
      numbers[slot] = number;
    }
  }
  return {
    releases,
    slots: numbers,
    replicas: { blue: declaredReplicas(wanted.blue), green: declaredReplicas(wanted.green) },
    scaling: scalings((slot) => scalingOf(wanted[slot])),
  };
}

/**
 * The template makes release 1 in the initial slot and after that only the number of replicas follows it. The slot that has no
 * release is an identical environment: the same Deployment at `idleReplicas`.
 */
export function planTemplate(
  input: PlanInput,
  runs: Extract<ResolvedConfig["runs"], { form: "template" }>,
  live: Slot,
  carries: (slot: Slot) => boolean,
  notes: Note[],
): PlannedSlots {
  const { record, now, by } = input;
  const former = record === undefined ? undefined : releaseOf(record, live);
  const template = releaseSpecOf(runs.release, input.versions ?? {}, former?.spec);
  const size = declaredReplicas(runs.release);
  const replicas: Record<Slot, number> = { blue: runs.idleReplicas, green: runs.idleReplicas };
  if (record === undefined || former === undefined || !isSettled(record, live, carries(live))) {
    const fresh = planFresh(input, live, template, carries);
    const isKept = fresh.slots[otherSlot(live)] !== null;
    replicas[live] = size;
    if (isKept) replicas[otherSlot(live)] = size;
    return {
      ...fresh,
      scaling: scalings((slot) => (slot === live || isKept ? scalingOf(runs.release) : undefined)),
      replicas,
    };
  }

  const releases = [...record.releases];
  const numbers: Record<Slot, number | null> = { ...record.slots };
  for (const slot of slots) {
    // A slot that a release was put into keeps its size, for it may have to take the traffic back; one that was scaled down
    // since then stays so.
    const inUse = slot === live || record.settings.replicas[slot] > runs.idleReplicas;
    if (record.slots[slot] !== null && inUse) replicas[slot] = size;
  }
  const scaling = scalings((slot) => (record.slots[slot] === null ? undefined : scalingOf(runs.release)));
  const changes = releaseDifferences(former.spec, template);
  if (changes.length > 0 && input.allowLiveChange) {
    const number = nextReleaseNumber(record);
    releases.push({ number, slot: live, spec: template, createdAt: now, by });
    numbers[live] = number;
  } else if (isOnlyVersions(changes)) {
    notes.push(versionsDiffer(input.config, former, live, changes));
  } else if (changes.length > 0) {
    notes.push({
      code: "template-differs",
      message: `The template differs from release ${former.number}, which ${live} runs and goes on running: ${changes.map(({ text }) => text).join("; ")}. A release would put it into ${otherSlot(live)}.`,
      hint: "`modelswitch release` does that; --allow-live-change would change the live slot itself, without a proof before it takes traffic.",
    });
  }
  return { releases, slots: numbers, replicas, scaling };
}

function scalings(of: (slot: Slot) => SlotScaling | undefined): Partial<Record<Slot, SlotScaling>> {
  return Object.fromEntries(
    slots.flatMap((slot) => {
      const scaling = of(slot);
      return scaling === undefined ? [] : [[slot, scaling]];
    }),
  );
}

/** Nobody changed the configuration: what somebody else keeps has changed, which only another release may take up. */
function versionsDiffer(
  { runs }: Pick<ResolvedConfig, "runs">,
  former: ReleaseRecord,
  slot: Slot,
  changes: readonly Difference[],
): Note {
  const names = changes.map(({ path }) => path.slice("versions.".length));
  return {
    code: "versions-differ",
    message: `${names.join(", ")} changed since release ${former.number}, which ${slot} runs: its pods keep what they started with, and take up the change when they are restarted.`,
    hint: `${runs.form === "template" ? "`modelswitch release` takes it up" : `Let ${otherSlot(slot)} run the change and switch to it`}; --allow-live-change restarts the pods of ${slot} now. Secrets that get a new name for each version avoid both.`,
  };
}
