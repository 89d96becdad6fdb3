import { annotations, deletionPropagation, isTrue, timeoutMs } from "./annotations.ts";
import { waitUntil } from "./await/wait.ts";
import { checkpointOf, parseCheckpoint } from "./checkpoint.ts";
import { UnknownKindError } from "./client.ts";
import { pathOf } from "./discovery.ts";
import { InitializationError } from "./errors.ts";
import { idOf, listAt, nameOf, namespaceOf, parseId, text, withValue } from "./objects.ts";
import type { Session } from "./session.ts";
import type { PropertyMap } from "./struct.ts";
import { type GroupVersionKind, gvkOf } from "./tokens.ts";

export interface DeleteRequest {
  readonly urn: string;
  readonly id: string;
  readonly gvk: GroupVersionKind;
  readonly state: PropertyMap;
  /** `customTimeouts.delete` in seconds; 0 when not set. */
  readonly timeoutSeconds: number;
}

/** Kinds for which `skipAwait` also skips the wait for the end, as the official provider does. */
const endsUnwatched: ReadonlySet<string> = new Set([
  ...["Namespace", "Pod", "ReplicationController", "DaemonSet", "Deployment", "StatefulSet", "Job"],
]);

/** Deletes an object and waits until it is gone. One that is already gone is fine. */
export async function deleteObject(session: Session, request: DeleteRequest): Promise<void> {
  const { inputs, live, ...rest } = parseCheckpoint(request.state);
  const { namespace, name } = parseId(request.id);
  const gvk = text(live, "kind") === "" ? request.gvk : gvkOf(text(live, "apiVersion"), text(live, "kind"));
  let object: PropertyMap = withValue(live, ["metadata", "name"], name);
  if (namespace !== "") object = withValue(object, ["metadata", "namespace"], namespace);

  if (!(await session.client.remove(object, deletionPropagation(inputs), session.signal))) return;
  if (isTrue(inputs, annotations.skipAwait) && endsUnwatched.has(gvk.kind)) return;

  const kind = await session.client.kind(gvk, session.signal);
  const uid = text(live, "metadata", "uid");
  const outcome = await waitUntil<PropertyMap | undefined>(session, {
    urn: request.urn,
    timeoutMs: timeoutMs(request.timeoutSeconds, inputs),
    watch: [{ path: pathOf(kind, namespaceOf(object)), name: nameOf(object) }],
    look: async () => {
      let current: PropertyMap | undefined;
      try {
        current = await session.client.find(gvk, namespaceOf(object), nameOf(object), session.signal);
      } catch (error) {
        if (!(error instanceof UnknownKindError)) throw error;
      }
      const gone = current === undefined || (uid !== "" && text(current, "metadata", "uid") !== uid);
      if (gone) return { value: undefined, verdict: { state: "ready" } };
      return { value: current, verdict: { state: "waiting", reasons: [whatHolds(gvk.kind, current)] } };
    },
  });
  if (outcome.verdict.state === "ready" || outcome.value === undefined) return;
  const reasons = outcome.verdict.reasons;
  throw new InitializationError(`${gvk.kind} ${request.id} is not gone: ${reasons.join("\n")}`, {
    id: idOf(object),
    state: checkpointOf({ ...rest, inputs, live: outcome.value }, request.state),
    reasons,
  });
}

function whatHolds(kind: string, object: PropertyMap | undefined): string {
  const finalizers = [...listAt(object, "metadata", "finalizers"), ...listAt(object, "spec", "finalizers")];
  // Only a namespace's conditions speak of its end; the others still tell of its life.
  const conditions = (kind === "Namespace" ? listAt(object, "status", "conditions") : [])
    .filter((condition) => text(condition, "status") === "True" && text(condition, "message") !== "")
    .map((condition) => text(condition, "message"));
  const why = finalizers.length === 0 ? "" : ` (finalizers: ${finalizers.join(", ")})`;
  return [`Waiting for the end of the ${kind}${why}`, ...conditions].join(". ");
}
