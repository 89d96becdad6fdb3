import type { ModelServer } from "../../core/model.ts";
import type { Note } from "../../core/note.ts";
import { liveSlot, type Routing } from "../../core/routing.ts";
import { isAsFound } from "../context/adoption-guard.ts";
import { differences } from "../record/differences.ts";
import type { PlanInput } from "./plan-input.ts";
import { liveChangeRefused } from "./plan-refusals.ts";

type ServerFact = "name" | "identity" | "keepAliveSeconds" | "protocol" | "metrics" | "draining";

/** The parts of a model server's settings that are part of the pods. */
export function podSettings(server: ModelServer): Omit<ModelServer, ServerFact> {
  return splitSettings(server).pods;
}

/** The others only tell how to see and reach the server: they change without a change of a pod. */
function splitSettings(server: ModelServer): {
  readonly pods: Omit<ModelServer, ServerFact>;
  readonly facts: Pick<ModelServer, ServerFact>;
} {
  const { name, identity, keepAliveSeconds, protocol, metrics, draining, ...pods } = server;
  return { pods, facts: { name, identity, keepAliveSeconds, protocol, metrics, draining } };
}

/** The server's settings are in the pods of both slots: a change of them is a change of what the live slot runs. */
export function plannedServer(input: PlanInput, routing: Routing, notes: Note[]): ModelServer {
  const { config, record, observation } = input;
  if (record === undefined || observation.routing === undefined || input.allowLiveChange)
    return config.server;
  const live = liveSlot(routing);
  if (observation.slots[live].deployment === undefined) return config.server;
  // Adopted pods keep their own template, whatever the settings are.
  if (isAsFound(record, live)) return config.server;
  const changes = differences(podSettings(record.settings.server), podSettings(config.server), []);
  if (changes.length === 0) return config.server;
  const named = changes.map((change) => ({ ...change, text: `server.${change.text}` }));
  if (config.runs.form === "slots") throw liveChangeRefused(config, live, named);
  notes.push({
    code: "server-differs",
    message: `The model server's settings differ from what ${live} runs and goes on running: ${named.map(({ text }) => text).join("; ")}.`,
    hint: "--allow-live-change applies them to the live slot too, by a rolling update.",
  });
  return { ...splitSettings(record.settings.server).pods, ...splitSettings(config.server).facts };
}
