import type { ResolvedConfig } from "../../config/model/types.ts";
import { slots } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import { differences } from "../record/differences.ts";
import { type RolloutRecord, releaseOf } from "../record/record.ts";
import { declaredReplicas, releaseDifferences, releaseSpecOf, scalingOf } from "../record/release-spec.ts";
import { podSettings } from "./planned-server.ts";

/** Says what the configuration has that no `up` has applied yet: only traffic moves, or what a slot runs. */
export function sayUnapplied(
  { config, events }: Pick<RolloutContext, "config" | "events">,
  record: RolloutRecord,
  command: "switch" | "release",
): void {
  const lines = unapplied(config, record);
  if (lines.length === 0) return;
  events({
    type: "warning",
    code: "config-not-applied",
    message: `${config.file} says what was not applied yet, and the ${command} leaves it alone: ${lines.join("; ")}.`,
    hint: "`modelswitch up` applies it.",
  });
}

/** The same, line by line. */
function unapplied(config: ResolvedConfig, record: RolloutRecord): string[] {
  const { settings } = record;
  const before = {
    ingress: settings.ingress,
    router: settings.router,
    previewHeader: settings.previewHeader,
    routing: settings.routing,
    server: podSettings(settings.server),
  };
  const after = {
    ingress: config.ingress,
    router: config.router,
    previewHeader: config.previewHeader,
    routing: config.routing,
    server: podSettings(config.server),
  };
  const found = differences(before, after, []);
  if (config.runs.form === "slots") {
    const wanted = config.runs.slots;
    for (const slot of slots) {
      const former = releaseOf(record, slot)?.spec ?? {};
      const changes = releaseDifferences(former, releaseSpecOf(wanted[slot], former.versions ?? {}));
      found.push(...changes.map((change) => ({ ...change, text: `${slot}.${change.text}` })));
      found.push(
        ...differences(
          { [slot]: { replicas: settings.replicas[slot], ...settings.scaling?.[slot] } },
          { [slot]: { replicas: declaredReplicas(wanted[slot]), ...scalingOf(wanted[slot]) } },
          [],
        ),
      );
    }
  }
  return found.map(({ text }) => text);
}
