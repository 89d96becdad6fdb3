import {
  changeBetween,
  changedAnnotations,
  changedFieldsOf,
  changesBetween,
  type ObjectChange,
} from "../../component/routers/change.ts";
import { routerNamed } from "../../component/routers/factory.ts";
import type { Router } from "../../component/routers/router.ts";
import { besidesIn } from "../../component/routers/together.ts";
import { messageOf, UserError } from "../../core/errors.ts";
import { type ObjectRef, objectPath } from "../../core/object-kind.ts";
import type { Routing } from "../../core/routing.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import { KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import { forbiddenError } from "../../kubernetes/forbidden.ts";
import { applyOwned } from "../../kubernetes/owned-fields.ts";
import { routerInput } from "../program/router-input.ts";
import { refuseForeignChange, requireWritten } from "./routing-write.ts";
import type { Traffic } from "./traffic.ts";

/** Owner of what is written where nobody applied the object, or somebody deleted it. */
const ownManager = "modelswitch";
/** How often somebody else may write the object between a look and a write. */
const attempts = 20;
const pauseMs = 50;

/** Where a routing is written past Pulumi. */
export type FastPlace = Pick<Traffic, "context" | "location" | "spec" | "lock">;

/**
 * Moves traffic by one request to the API server, in Pulumi's name: clients neither wait for Pulumi nor depend on it. Pulumi's
 * state follows within the same command. The write is fenced by the version of the object that was looked at.
 * @param before `undefined`: the objects say nothing of the model, so that each is written as a whole
 * @throws UserError `write-refused`, `permission-denied`, `routing-changed`, `write-without-effect`
 */
export async function fastWrite(
  traffic: FastPlace,
  before: Routing | undefined,
  after: Routing,
): Promise<void> {
  const { spec, location } = traffic;
  const input = routerInput(spec, location.names);
  const router = routerNamed(spec.router);
  if (before !== undefined && (spec.besides ?? []).length === 0) {
    const change = changeBetween(router, input, before, after);
    if (change !== undefined) await writeObject(traffic, before, change, router);
  } else {
    await writeBesides(traffic, before, after);
    for (const change of changesBetween(router, input, before, after))
      await writeObject(traffic, before, change, router);
  }
  await requireWritten(traffic, after);
}

/**
 * On a model's way from one router to another both are kept in step, and the one that says where traffic is comes last: a kill before leaves
 * all of it to do. What cannot be written of the other one holds nothing up: Pulumi writes it again afterwards.
 */
async function writeBesides(traffic: FastPlace, before: Routing | undefined, after: Routing): Promise<void> {
  const { spec, location, context } = traffic;
  for (const { router, input } of besidesIn(spec, routerInput(spec, location.names))) {
    try {
      for (const change of changesBetween(router, input, before, after))
        await writeObject(traffic, before, change, router);
    } catch (error) {
      // Somebody else who moved traffic, or has the lock, stops it; nothing else does.
      if (error instanceof UserError && !["write-refused", "permission-denied"].includes(error.code))
        throw error;
      context.events({
        type: "warning",
        code: "beside-not-written",
        message: `What the router "${router.name}" has of ${spec.name} could not be kept in step: ${messageOf(error)}`,
        hint: "Clients who have moved there already are where they were. `modelswitch status` shows the move; `modelswitch resume` writes it again.",
      });
    }
  }
}

async function writeObject(
  traffic: FastPlace,
  expected: Routing | undefined,
  change: ObjectChange,
  router: Pick<Router, "neutral" | "together">,
): Promise<void> {
  const { context } = traffic;
  const path = objectPath(context.namespace, change.ref);
  for (let attempt = 1; ; attempt += 1) {
    const live = await context.api.find<KubernetesObject>(path, { signal: unstoppable });
    try {
      let isUnowned = false;
      await applyOwned(context.api, {
        path,
        live,
        manager: ownManager,
        change: (owned) => {
          isUnowned = live !== undefined && owned === undefined;
          return wanted(change, live, owned, router);
        },
        signal: unstoppable,
      });
      const dropped = droppedBy(change);
      if (isUnowned && dropped !== undefined) {
        await context.api.json({
          method: "PATCH",
          path,
          contentType: "application/merge-patch+json",
          query: { fieldManager: ownManager },
          body: dropped,
          signal: unstoppable,
        });
      }
      return;
    } catch (error) {
      if (!(error instanceof KubernetesApiError)) throw error;
      if (error.status !== 409 || attempt >= attempts) throw refusalOf(change.ref, error);
      // Somebody wrote it between the look and the write: that is only of interest where they moved traffic, or have the lock.
      await traffic.lock.check();
      await refuseForeignChange(traffic, expected);
      await context.clock.sleep(pauseMs);
    }
  }
}

/**
 * What a change takes away, as a merge patch: where nobody applies the object, an apply that leaves something out takes nothing away. Nobody
 * becomes the owner of what is gone. `undefined`: it takes nothing away.
 */
function droppedBy(change: ObjectChange): object | undefined {
  const annotations = Object.keys(change.before?.metadata.annotations ?? {}).filter(
    (key) => !(key in change.after.metadata.annotations),
  );
  const fields = Object.entries(changedFieldsOf(change)).flatMap(([key, value]) =>
    value === undefined ? [key] : [],
  );
  if (annotations.length === 0 && fields.length === 0) return undefined;
  const none = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, null]));
  return {
    ...(annotations.length === 0 ? {} : { metadata: { annotations: none(annotations) } }),
    ...(fields.length === 0 ? {} : { spec: none(fields) }),
  };
}

/** What is applied: all that the owner has, with what the change is about as it is to be. */
function wanted(
  change: ObjectChange,
  live: KubernetesObject | undefined,
  owned: KubernetesObject | undefined,
  { neutral = {}, together = [] }: Pick<Router, "neutral" | "together">,
): KubernetesObject {
  const { before, after } = change;
  if (live === undefined) return { ...after };
  // In the same write: without it, or before it, the old share would mean another one.
  const added = Object.entries(neutral).filter(([key]) => live.metadata?.annotations?.[key] !== undefined);
  // Somebody may have said the same share by other numbers: what differs between two declared ones alone would be another one beside them.
  const said = together.flatMap((key) => {
    const value = after.metadata.annotations[key];
    return value === undefined ? [] : [[key, value] as const];
  });
  const changes = { ...Object.fromEntries([...added, ...said]), ...changedAnnotations(change) };
  const { apiVersion, kind } = after;
  const metadata = {
    name: after.metadata.name,
    ...(live.metadata?.resourceVersion === undefined
      ? {}
      : { resourceVersion: live.metadata.resourceVersion }),
  };
  const moved = changedFieldsOf(change);
  const isMoved = Object.keys(moved).length > 0;
  if (owned === undefined) {
    // Nobody applies it: only what changes gets an owner.
    return {
      apiVersion,
      kind,
      metadata: { ...metadata, ...(Object.keys(changes).length === 0 ? {} : { annotations: changes }) },
      ...(isMoved ? { spec: moved } : {}),
    };
  }
  const kept = Object.entries(owned.metadata?.annotations ?? {}).filter(
    ([key]) => before?.metadata.annotations[key] === undefined || key in after.metadata.annotations,
  );
  return {
    ...owned,
    apiVersion,
    kind,
    metadata: {
      ...owned.metadata,
      ...metadata,
      annotations: { ...Object.fromEntries(kept), ...changes },
    },
    ...(isMoved ? { spec: { ...(owned.spec as object | undefined), ...moved } } : {}),
  };
}

/** An API server that cannot serve now is waited for by whoever asked; what somebody in it refuses is not. */
function refusalOf({ kind: { kind }, name }: ObjectRef, error: KubernetesApiError): Error {
  const isUnable = error.status >= 500 && !error.message.includes("webhook");
  if (isUnable || error.status === 429) return error;
  const denied = error.status === 403 ? forbiddenError(error.message, { cause: error }) : undefined;
  if (denied !== undefined) return denied;
  return new UserError({
    code: "write-refused",
    message: `The API server did not take the change of the ${kind} ${name} (HTTP ${error.status}): ${messageOf(error)}`,
    hint: "What refuses it (an admission webhook, a policy) is named in the message.",
    details: { ingress: name, status: error.status, reason: error.reason },
    cause: error,
  });
}
