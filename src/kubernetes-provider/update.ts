import { annotations, isTrue, timeoutMs } from "./annotations.ts";
import { awaitReady } from "./await/ready.ts";
import { checkpointOf, parseCheckpoint, toObject } from "./checkpoint.ts";
import { isStatus, type WriteOptions } from "./client.ts";
import {
  conflictOwners,
  describeConflict,
  describeImmutable,
  InitializationError,
  isApiError,
  messageWithHint,
} from "./errors.ts";
import { isPredecessorName, keepIgnored, takeOver } from "./field-managers.ts";
import { mergePatch } from "./merge-patch.ts";
import { isDefinition, normalize } from "./normalize.ts";
import { at, idOf, listAt, nameOf, namespaceOf, prune, text, withValue } from "./objects.ts";
import { fieldManagerOf, type Session, warningsOf } from "./session.ts";
import { hasUnknown, type PropertyMap } from "./struct.ts";
import { gvkOf } from "./tokens.ts";

export interface UpdateRequest {
  readonly urn: string;
  readonly id: string;
  /** State of the last write or read. */
  readonly olds: PropertyMap;
  /** Checked inputs. */
  readonly news: PropertyMap;
  readonly ignoreChanges: readonly string[];
  /** `customTimeouts.update` in seconds; 0 when not set. */
  readonly timeoutSeconds: number;
  readonly preview: boolean;
}

/** Changes an object in place and waits until the change has taken effect; returns the new state. */
export async function updateObject(session: Session, request: UpdateRequest): Promise<PropertyMap> {
  const inputs = normalize(toObject(request.news));
  const gvk = gvkOf(text(inputs, "apiVersion"), text(inputs, "kind"));
  if (request.preview && (hasUnknown(inputs) || !(await session.client.serves(gvk, session.signal)))) {
    return request.news;
  }
  const old = parseCheckpoint(request.olds);
  const oldFieldManager = fieldManagerOf(session, old.fieldManager, old.inputs);
  const fieldManager = fieldManagerOf(session, old.fieldManager, inputs);
  const checkpoint = (live: PropertyMap): PropertyMap =>
    checkpointOf(
      { inputs, live, initialApiVersion: old.initialApiVersion || text(inputs, "apiVersion"), fieldManager },
      request.news,
    );

  const find = () =>
    session.client.find(gvk, namespaceOf(old.live) || namespaceOf(inputs), nameOf(old.live), session.signal);
  const before = await find();
  if (before === undefined) {
    throw new Error(
      `${text(inputs, "kind")} ${request.id} is no longer in the cluster; somebody has deleted it. ` +
        "Refresh the state (`pulumi refresh`) and run again to create it anew.",
    );
  }

  let updated: PropertyMap;
  try {
    updated = await write(session, request, inputs, before, fieldManager);
  } catch (error) {
    if (request.preview && isStatus(error, 403)) return request.news;
    if (isApiError(error) && isStatus(error, 409)) throw new Error(describeConflict(error, fieldManager));
    if (isStatus(error, 422)) throw new Error(describeImmutable(error.message));
    throw error;
  }
  if (request.preview) return checkpoint(updated);

  if (session.settings.serverSideApply && oldFieldManager !== fieldManager) {
    await relinquish(session, request.urn, updated, oldFieldManager);
  }
  const outcome = await awaitReady(session, {
    urn: request.urn,
    inputs,
    live: updated,
    timeoutMs: timeoutMs(request.timeoutSeconds, inputs),
  });
  if (outcome.state === "ready") return checkpoint(outcome.live);
  throw new InitializationError(
    `${text(inputs, "kind")} ${idOf(updated)} was updated but is not ready: ${outcome.reasons.join("\n")}`,
    { id: idOf(updated), state: checkpoint(outcome.live), reasons: outcome.reasons },
  );
}

async function write(
  session: Session,
  request: UpdateRequest,
  inputs: PropertyMap,
  before: PropertyMap,
  fieldManager: string,
): Promise<PropertyMap> {
  const options: WriteOptions = {
    fieldManager,
    dryRun: request.preview,
    signal: session.signal,
    warn: warningsOf(session, request.urn),
  };
  if (isDefinition(inputs)) {
    // Applying a definition merges its version lists; replacing it leaves the custom resources alone as well.
    const version = text(before, "metadata", "resourceVersion");
    return session.client.replace(withValue(inputs, ["metadata", "resourceVersion"], version), options);
  }
  if (!session.settings.serverSideApply) {
    const old = prune(parseCheckpoint(request.olds).live, normalize(parseCheckpoint(request.olds).inputs));
    return session.client.patch(before, mergePatch(old, inputs), "application/merge-patch+json", options);
  }
  const owned = request.preview ? before : await takeOverFields(session, before, fieldManager, options);
  const body = keepIgnored(inputs, owned, request.ignoreChanges, fieldManager);
  const force =
    session.settings.patchForce ||
    isTrue(inputs, annotations.patchForce) ||
    listAt(before, "metadata", "managedFields").length === 0;
  try {
    return await session.client.apply(body, force, options);
  } catch (error) {
    // A dry run can't take fields over first, as the real update does: it only overrules those owners.
    const overrule = request.preview && !force && isApiError(error) && isStatus(error, 409);
    if (!overrule || !conflictOwners(error).every(isPredecessorName)) throw error;
    return await session.client.apply(body, true, options);
  }
}

/** Objects start with their creator as owner; the first update makes the resource's own field manager the owner. */
export async function takeOverFields(
  session: Session,
  before: PropertyMap,
  fieldManager: string,
  options: WriteOptions,
): Promise<PropertyMap> {
  let live = before;
  for (let attempt = 1; ; attempt++) {
    const patch = takeOver(live, fieldManager);
    if (patch === undefined) return live;
    try {
      return await session.client.patch(live, patch, "application/json-patch+json", options);
    } catch (error) {
      // Controllers write the status all the time: look again and try again.
      if (!isStatus(error, 409) || attempt === 5) throw error;
      const gvk = gvkOf(text(live, "apiVersion"), text(live, "kind"));
      live = (await session.client.find(gvk, namespaceOf(live), nameOf(live), session.signal)) ?? live;
    }
  }
}

/** Gives up all fields of a field manager that is no longer used. */
async function relinquish(
  session: Session,
  urn: string,
  live: PropertyMap,
  fieldManager: string,
): Promise<void> {
  const body: PropertyMap = {
    apiVersion: at(live, "apiVersion") ?? null,
    kind: at(live, "kind") ?? null,
    metadata: { name: nameOf(live), ...(namespaceOf(live) === "" ? {} : { namespace: namespaceOf(live) }) },
  };
  try {
    const options = { fieldManager, dryRun: false, signal: session.signal, warn: () => {} };
    await session.client.apply(body, false, options);
  } catch (error) {
    session.log.log(
      "warning",
      urn,
      `The fields of "${fieldManager}" could not be given up: ${messageWithHint(error)}`,
    );
  }
}
