import type { IngressManifest } from "../../component/routers/router.ts";
import { messageOf, UserError } from "../../core/errors.ts";
import type { Routing } from "../../core/routing.ts";
import { unstoppable } from "../../core/unstoppable.ts";
import { KubernetesApiError, type KubernetesObject } from "../../kubernetes/api.ts";
import { forbiddenError } from "../../kubernetes/forbidden.ts";
import { applyOwned } from "../../kubernetes/owned-fields.ts";
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
 * @throws UserError `write-refused`, `permission-denied`, `routing-changed`, `write-without-effect`
 */
export async function fastWrite(traffic: FastPlace, before: Routing, after: Routing): Promise<void> {
  for (const change of changedObjects(traffic, before, after)) await writeObject(traffic, before, change);
  await requireWritten(traffic, after);
}

/** An object as it is declared before and after the change. */
interface Change {
  readonly before: IngressManifest | undefined;
  readonly after: IngressManifest;
}

async function writeObject(traffic: FastPlace, expected: Routing, change: Change): Promise<void> {
  const { context } = traffic;
  const { name } = change.after.metadata;
  const path = `/apis/networking.k8s.io/v1/namespaces/${context.namespace}/ingresses/${name}`;
  for (let attempt = 1; ; attempt += 1) {
    const live = await context.api.find<KubernetesObject>(path, { signal: unstoppable });
    try {
      await applyOwned(context.api, {
        path,
        live,
        manager: ownManager,
        change: (owned) => wanted(change, live, owned),
        signal: unstoppable,
      });
      return;
    } catch (error) {
      if (!(error instanceof KubernetesApiError)) throw error;
      if (error.status !== 409 || attempt >= attempts) throw refusalOf(name, error);
      // Somebody wrote it between the look and the write: that is only of interest where they moved traffic, or have the lock.
      await traffic.lock.check();
      await refuseForeignChange(traffic, expected);
      await context.clock.sleep(pauseMs);
    }
  }
}

/** What is applied: all that the owner has, with what the change is about as it is to be. */
function wanted(
  { before, after }: Change,
  live: KubernetesObject | undefined,
  owned: KubernetesObject | undefined,
): KubernetesObject {
  if (live === undefined) return { ...after };
  const { apiVersion, kind } = after;
  const metadata = {
    name: after.metadata.name,
    ...(live.metadata?.resourceVersion === undefined
      ? {}
      : { resourceVersion: live.metadata.resourceVersion }),
  };
  const isMoved = !same(before?.spec, after.spec);
  if (owned === undefined) {
    // Nobody applies it: only what changes gets an owner.
    const annotations = changedEntries(before, after);
    return {
      apiVersion,
      kind,
      metadata: { ...metadata, ...(Object.keys(annotations).length === 0 ? {} : { annotations }) },
      ...(isMoved ? { spec: { rules: after.spec.rules } } : {}),
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
      annotations: { ...Object.fromEntries(kept), ...changedEntries(before, after) },
    },
    ...(isMoved ? { spec: { ...(owned.spec as object | undefined), rules: after.spec.rules } } : {}),
  };
}

function changedObjects({ spec, location }: FastPlace, before: Routing, after: Routing): readonly Change[] {
  const objects = (routing: Routing) =>
    location.router.objects({
      model: spec.name,
      ...(location.names === undefined ? {} : { names: location.names }),
      namespace: spec.namespace,
      routing,
      ingress: spec.ingress,
      previewHeader: spec.previewHeader,
      servicePort: spec.servicePort,
    });
  const was = objects(before);
  return objects(after)
    .map((object) => ({
      before: was.find(({ metadata }) => metadata.name === object.metadata.name),
      after: object,
    }))
    .filter((change) => !same(change.before, change.after));
}

function changedEntries(former: IngressManifest | undefined, next: IngressManifest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(next.metadata.annotations).filter(
      ([key, value]) => former?.metadata.annotations[key] !== value,
    ),
  );
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** An API server that cannot serve now is waited for by whoever asked; what somebody in it refuses is not. */
function refusalOf(name: string, error: KubernetesApiError): Error {
  const isUnable = error.status >= 500 && !error.message.includes("webhook");
  if (isUnable || error.status === 429) return error;
  const denied = error.status === 403 ? forbiddenError(error.message, { cause: error }) : undefined;
  if (denied !== undefined) return denied;
  return new UserError({
    code: "write-refused",
    message: `The API server did not take the change of the Ingress ${name} (HTTP ${error.status}): ${messageOf(error)}`,
    hint: "What refuses it (an admission webhook, a policy) is named in the message.",
    details: { ingress: name, status: error.status, reason: error.reason },
    cause: error,
  });
}
