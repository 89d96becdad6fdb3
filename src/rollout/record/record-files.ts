import { createHash } from "node:crypto";
import type { RolloutRecord } from "./record.ts";
import { withoutReport } from "./rollouts.ts";

/** ConfigMaps hold 1 MiB; the rest is for metadata. */
const largestRecord = 900 * 1024;

interface StoredSpec {
  readonly configFiles?: Readonly<Record<string, string>> | undefined;
}

/**
 * The record as it is stored: the contents of config files stand in it once, however many releases have them. Where it would be too
 * large, the oldest reports are left out, then the oldest releases that no slot runs. Pure.
 */
export function storedRecord(record: RolloutRecord): string {
  const running = new Set([record.slots.blue, record.slots.green]);
  let { releases, rollouts } = record;
  for (;;) {
    const kept = { ...record, releases, ...(rollouts === undefined ? {} : { rollouts }) };
    const text = JSON.stringify(withTable(kept), null, 1);
    if (Buffer.byteLength(text) <= largestRecord) return text;
    const reported = rollouts?.findIndex(({ report }) => report !== undefined) ?? -1;
    const oldest = releases.find(({ number }) => !running.has(number));
    if (reported >= 0) {
      rollouts = rollouts?.map((outcome, index) => (index === reported ? withoutReport(outcome) : outcome));
    } else if (oldest === undefined) return text;
    else releases = releases.filter((release) => release !== oldest);
  }
}

function withTable(record: RolloutRecord): object {
  const files: Record<string, string> = {};
  const releases = record.releases.map((release) => {
    const { configFiles } = release.spec;
    if (configFiles === undefined) return release;
    const stored = Object.fromEntries(
      Object.entries(configFiles).map(([path, contents]) => {
        const digest = createHash("sha256").update(contents).digest("hex");
        files[digest] = contents;
        return [path, digest];
      }),
    );
    return { ...release, spec: { ...release.spec, configFiles: stored } };
  });
  return { ...record, releases, ...(Object.keys(files).length === 0 ? {} : { files }) };
}

/** Puts the contents of config files back into a stored release. Returns the path of a file whose contents are missing. */
export function restoreFiles<T extends StoredSpec>(
  spec: T,
  files: Readonly<Record<string, string>>,
): { readonly spec: T } | { readonly missing: string } {
  if (spec.configFiles === undefined) return { spec };
  const restored: Record<string, string> = {};
  for (const [path, digest] of Object.entries(spec.configFiles)) {
    const contents = files[digest];
    if (contents === undefined) return { missing: path };
    restored[path] = contents;
  }
  return { spec: { ...spec, configFiles: restored } };
}
