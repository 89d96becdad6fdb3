import type { Note } from "../../core/note.ts";
import { slots } from "../../core/slots.ts";
import { presentPods } from "../../slots/occupants.ts";
import type { Observation, SlotObservation } from "../observe/observation.ts";
import { type ReleaseRecord, type RolloutRecord, releaseOf } from "../record/record.ts";

/** What the nodes really run of an image, each once: with its digest, where they know it. */
function imagesRun(slot: SlotObservation): string[] {
  const images = presentPods(slot)
    .filter(({ ready }) => ready)
    .map(({ imageId }) => imageId)
    .filter((image) => image !== undefined);
  return [...new Set(images)];
}

/**
 * Writes down which image each release really runs: a tag may be moved to another one later. Says so where that has happened. Pure.
 */
export function withImagesRun(
  record: RolloutRecord,
  observation: Observation,
): { readonly record: RolloutRecord; readonly notes: readonly Note[] } {
  const notes: Note[] = [];
  const known = new Map<number, string>();
  for (const slot of slots) {
    const release = releaseOf(record, slot);
    if (release?.spec.image === undefined) continue;
    // Somebody else's image in the slot says nothing of the release; a mirror's name for the same one does.
    const { deployment } = observation.slots[slot];
    if (deployment?.image !== undefined && tagOf(deployment.image) !== tagOf(release.spec.image)) continue;
    const running = imagesRun(observation.slots[slot]);
    const [image] = running;
    if (image === undefined) continue;
    if (running.length > 1 || (release.imageId !== undefined && release.imageId !== image)) {
      notes.push(moved(release, running));
    }
    if (release.imageId === undefined && running.length === 1) known.set(release.number, image);
  }
  if (known.size === 0) return { record, notes };
  const releases = record.releases.map((release) => {
    const imageId = known.get(release.number);
    return imageId === undefined ? release : { ...release, imageId };
  });
  return { record: { ...record, releases }, notes };
}

/** `server:1` of `registry.acme.io/ml/server:1`. */
function tagOf(image: string): string | undefined {
  return image.split("/").at(-1);
}

function moved(release: ReleaseRecord, running: readonly string[]): Note {
  const first =
    release.imageId === undefined ? "" : ` Release ${release.number} began with ${release.imageId}.`;
  return {
    code: "image-tag-moved",
    message: `The pods of ${release.slot} run another image than before under the name ${release.spec.image}: ${running.join(" and ")}.${first}`,
    hint: "Name images by their digest (image@sha256:…): a tag can be moved while a release runs.",
  };
}
