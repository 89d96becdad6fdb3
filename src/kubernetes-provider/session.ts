import type { Clock } from "../core/clock.ts";
import { annotations } from "./annotations.ts";
import { uniqueName } from "./check.ts";
import type { ObjectClient } from "./client.ts";
import type { ResourceLog } from "./host.ts";
import { annotation } from "./objects.ts";
import type { Settings } from "./settings.ts";
import type { PropertyMap } from "./struct.ts";

/** One configured provider: its cluster, its options, and the operation that the engine runs with it. */
export interface Session {
  readonly client: ObjectClient;
  readonly settings: Settings;
  /** Namespace for objects that name none. */
  readonly defaultNamespace: string;
  readonly log: ResourceLog;
  readonly clock: Clock;
  /** Aborts when the engine cancels or the command ends. */
  readonly signal: AbortSignal;
  /** When the run began that was killed before this one, milliseconds since the Unix epoch: its objects may be unknown to the state. */
  readonly killedSince: number | undefined;
}

/** Who creates objects, as the first writer is recorded; the official provider's name. */
export const creator = "pulumi-kubernetes";

/** The owner of an object's fields: the annotation's, else the one of the state, else a new one. */
export function fieldManagerOf(session: Session, state: string, inputs: PropertyMap): string {
  if (!session.settings.serverSideApply) return creator;
  return (
    annotation(inputs, annotations.patchFieldManager) || state || uniqueName(`${creator}-`, new Uint8Array())
  );
}

/** Reports the API server's warnings about one resource. */
export function warningsOf(session: Session, urn: string): (message: string) => void {
  return (message) => {
    if (session.settings.suppressWarnings && message.includes("deprecated")) return;
    session.log.log("warning", urn, `The API server warns: ${message}`);
  };
}
