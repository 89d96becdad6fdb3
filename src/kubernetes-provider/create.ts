import { unstoppable } from "../core/unstoppable.ts";
import { annotations, isTrue, timeoutMs } from "./annotations.ts";
import { awaitReady } from "./await/ready.ts";
import { type Checkpoint, checkpointOf, toObject } from "./checkpoint.ts";
import { isMissingNamespace, isStatus, UnknownKindError, type WriteOptions } from "./client.ts";
import { describeConflict, InitializationError, isApiError } from "./errors.ts";
import { covers } from "./field-managers.ts";
import { idOf, listAt, nameOf, namespaceOf, text, without } from "./objects.ts";
import { creator, fieldManagerOf, type Session, warningsOf } from "./session.ts";
import { hasUnknown, type PropertyMap } from "./struct.ts";
import { gvkOf } from "./tokens.ts";
import { takeOverFields } from "./update.ts";

export interface CreateRequest {
  readonly urn: string;
  /** Checked inputs. */
  readonly inputs: PropertyMap;
  /** `customTimeouts.create` in seconds; 0 when not set. */
  readonly timeoutSeconds: number;
  readonly preview: boolean;
}

export interface CreateResult {
  readonly id: string;
  readonly state: PropertyMap;
}

/** Creates an object and waits until it is ready; in a preview asks the API server what it would become. */
export async function createObject(session: Session, request: CreateRequest): Promise<CreateResult> {
  const inputs = toObject(request.inputs);
  const asIs: CreateResult = { id: "", state: request.inputs };
  if (request.preview && (hasUnknown(inputs) || !session.settings.serverSideApply)) return asIs;
  const gvk = gvkOf(text(inputs, "apiVersion"), text(inputs, "kind"));
  if (request.preview && !(await session.client.serves(gvk, session.signal))) return asIs;

  const fieldManager = fieldManagerOf(session, "", inputs);
  const checkpoint = (live: PropertyMap): PropertyMap => {
    const about: Checkpoint = { inputs, live, initialApiVersion: text(inputs, "apiVersion"), fieldManager };
    return checkpointOf(about, request.inputs);
  };

  let created: PropertyMap;
  try {
    created = request.preview
      ? await write(session, request, inputs, fieldManager)
      : await writeWhenPossible(session, request, inputs, fieldManager);
  } catch (error) {
    // What can't be previewed is shown as declared: the namespace comes in the same run, or the object is replaced.
    const unpreviewable = isMissingNamespace(error) || isStatus(error, 403) || isStatus(error, 409);
    if (request.preview && unpreviewable) return asIs;
    throw error;
  }
  // Programs that read the status must not find an empty one in a preview.
  if (request.preview) return { id: "", state: checkpoint(without(created, ["status"])) };

  const outcome = await awaitReady(session, {
    urn: request.urn,
    inputs,
    live: created,
    timeoutMs: timeoutMs(request.timeoutSeconds, inputs),
  });
  if (outcome.state === "ready") return { id: idOf(outcome.live), state: checkpoint(outcome.live) };
  throw new InitializationError(
    `${text(inputs, "kind")} ${idOf(created)} was created but is not ready: ${outcome.reasons.join("\n")}`,
    { id: idOf(created), state: checkpoint(outcome.live), reasons: outcome.reasons },
  );
}

/** A namespace or a CustomResourceDefinition of the same program may be a moment behind. */
const patienceMs = 20_000;

async function writeWhenPossible(
  session: Session,
  request: CreateRequest,
  inputs: PropertyMap,
  fieldManager: string,
): Promise<PropertyMap> {
  const deadline = session.clock.now() + patienceMs;
  for (let pauseMs = 250; ; pauseMs = Math.min(pauseMs * 2, 4000)) {
    try {
      return await write(session, request, inputs, fieldManager);
    } catch (error) {
      const mayCome = isStatus(error, 404) || error instanceof UnknownKindError;
      if (!mayCome || session.clock.now() + pauseMs > deadline) throw error;
      session.log.status("info", request.urn, `Waiting until it can be created: ${error.message}`);
      await session.clock.sleep(pauseMs, session.signal);
    }
  }
}

async function write(
  session: Session,
  request: CreateRequest,
  inputs: PropertyMap,
  fieldManager: string,
): Promise<PropertyMap> {
  const { settings, client } = session;
  session.signal.throwIfAborted();
  const options: WriteOptions = {
    fieldManager: creator,
    dryRun: request.preview,
    // A creation under way is never cut off: nobody could tell whether the object is there, and the state would not know it.
    signal: request.preview ? session.signal : unstoppable,
    warn: warningsOf(session, request.urn),
  };
  if (settings.serverSideApply && settings.upsertExisting) {
    const force = settings.patchForce || request.preview || isTrue(inputs, annotations.patchForce);
    try {
      return await client.apply(inputs, force, { ...options, fieldManager });
    } catch (error) {
      if (isApiError(error) && isStatus(error, 409)) throw new Error(describeConflict(error, fieldManager));
      throw error;
    }
  }
  try {
    return await client.create(inputs, options);
  } catch (error) {
    if (!isStatus(error, 409) || error.reason !== "AlreadyExists" || request.preview) throw error;
    return await adopt(session, request, inputs, { refusal: error, options: { ...options, fieldManager } });
  }
}

/**
 * A run that was killed between the creation and the record of it leaves an object that is exactly what is to be created, or, where
 * that run is known and the declaration changed since, one that Pulumi created in its time: that one is taken. Anything else of
 * this name belongs to somebody and is left alone.
 */
async function adopt(
  session: Session,
  request: CreateRequest,
  inputs: PropertyMap,
  { refusal, options }: { readonly refusal: Error; readonly options: WriteOptions },
): Promise<PropertyMap> {
  const gvk = gvkOf(text(inputs, "apiVersion"), text(inputs, "kind"));
  const live = await session.client.find(gvk, namespaceOf(inputs), nameOf(inputs), session.signal);
  const ours =
    live !== undefined &&
    listAt(live, "metadata", "managedFields").some((entry) => text(entry, "manager") === creator);
  if (ours && text(live, "metadata", "deletionTimestamp") === "") {
    const told = (what: string) =>
      session.log.log(
        "info",
        request.urn,
        `An interrupted run had already created ${what}; it is taken over.`,
      );
    if (covers(live, inputs)) {
      told("exactly this object");
      return live;
    }
    // The API server's times are whole seconds.
    const createdAt = Date.parse(text(live, "metadata", "creationTimestamp")) + 1000;
    if (session.killedSince !== undefined && createdAt >= session.killedSince) {
      told("this object as it was declared then");
      await takeOverFields(session, live, options.fieldManager, options);
      return await session.client.apply(inputs, false, options);
    }
  }
  throw new Error(
    `${refusal.message}. It was not created by this stack as it is declared now. Import it (\`pulumi import\`, or the ` +
      "resource option `import`), give this one another name, or set the provider's upsertExistingObjects to take it over.",
  );
}
