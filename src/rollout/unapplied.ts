import type { ResolvedConfig } from "../config/types.ts";
import { slots } from "../core/slots.ts";
import { podSettings, releaseSpecOf } from "./desired.ts";
import { differences } from "./differences.ts";
import { type RolloutRecord, releaseOf } from "./record.ts";

/** What the configuration says and no `up` has applied yet, line by line. A switch leaves all of it alone. */
export function unapplied(config: ResolvedConfig, record: RolloutRecord): string[] {
  const { settings } = record;
  const before = {
    ingress: settings.ingress,
    router: settings.router,
    previewHeader: settings.previewHeader,
    server: podSettings(settings.server),
  };
  const after = {
    ingress: config.ingress,
    router: config.router,
    previewHeader: config.previewHeader,
    server: podSettings(config.server),
  };
  const found = differences(before, after, []);
  if (config.runs.form === "slots") {
    const wanted = config.runs.slots;
    for (const slot of slots) {
      const { replicas, ...spec } = releaseSpecOf(wanted[slot]);
      found.push(
        ...differences(
          { [slot]: { ...releaseOf(record, slot)?.spec, replicas: settings.replicas[slot] } },
          { [slot]: { ...spec, replicas: replicas ?? 1 } },
          [],
        ),
      );
    }
  }
  return found.map(({ text }) => text);
}
