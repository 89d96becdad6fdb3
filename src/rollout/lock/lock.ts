import { randomUUID } from "node:crypto";
import { exitCodes, isInterrupted, UserError } from "../../core/errors.ts";
import type { EventSink } from "../../core/events.ts";
import { objectNames, ownLabels } from "../../core/names.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import { HeldLock, isHeldBy, type Lock, microTime } from "./held-lock.ts";
import {
  type Holder,
  identityOf,
  type LeaseObject,
  type LockOptions,
  leaseCollection,
  leasePath,
  leaseSeconds,
  type PresentLock,
} from "./lease.ts";
import type { LeaseRequest } from "./lease-requests.ts";
import { watchHolder } from "./lease-watch.ts";

export type { Lock, WayAsked } from "./held-lock.ts";

/** What became of a lock that was asked for. */
export type LockedOr<T> =
  | { readonly kind: "held"; readonly result: T }
  /** A living command has it; `heard`: it has taken note of the request. */
  | { readonly kind: "alive"; readonly lock: PresentLock; readonly heard: boolean };

/**
 * Runs `work` while holding the Lease of the model, so that one command at a time changes it. The Lease is renewed while the
 * work lasts. A lock whose process is known to have ended is taken over at once, one whose heartbeat stopped after a whole lease
 * of watching.
 * @throws UserError `model-locked` (exit code 4) naming who holds it and since when; `lock-lost`
 */
export async function withLock<T>(options: LockOptions, work: (lock: Lock) => Promise<T>): Promise<T> {
  const end = await withLockOrAsk(options, "hello", work);
  if (end.kind === "held") return end.result;
  throw modelLocked(options.model, end.lock);
}

/**
 * Like `withLock`, but leaves a request to a living command that has the lock, instead of refusing: `abort` to end what it does and
 * go back.
 */
export async function withLockOrAsk<T>(
  options: LockOptions,
  request: LeaseRequest["kind"],
  work: (lock: Lock) => Promise<T>,
): Promise<LockedOr<T>> {
  // Of this holding alone.
  const holder: Holder = { ...options.holder, token: randomUUID() };
  const acquired = await acquire(options, holder, request);
  if (acquired.kind === "alive") return acquired;
  const lock = new HeldLock(options, holder);
  const ended = options.onHeld?.(lock.signal);
  try {
    return { kind: "held", result: await work(lock) };
  } catch (error) {
    // What the loss has stopped says so, and not that the user did.
    const isStopped = lock.signal.aborted && isInterrupted(error) && !options.signal.aborted;
    throw isStopped ? lock.signal.reason : error;
  } finally {
    ended?.();
    await lock.leave();
  }
}

/** How long a way back waits for its turn: as long as pods may take. */
export function inTurn({
  events,
  config,
}: {
  readonly events: EventSink;
  readonly config: { readonly deadlines: { readonly readyMs: number } };
}): {
  readonly events: EventSink;
  readonly patienceMs: number;
} {
  return { events, patienceMs: config.deadlines.readyMs };
}

/** How often a lock that makes way is tried again, milliseconds. */
const turnMs = 250;

/**
 * Like `withLock`, for ways back: a living command that has the lock is asked to end what it does, and waited for until it has.
 * @throws UserError `model-locked` where it has not after `patienceMs`; `way-back-closed`
 */
export async function withLockInTurn<T>(
  options: LockOptions,
  { events, patienceMs }: { readonly events: EventSink; readonly patienceMs: number },
  work: (lock: Lock) => Promise<T>,
): Promise<T> {
  const { clock, signal, model } = options;
  const until = clock.now() + patienceMs;
  let isTold = false;
  for (;;) {
    const end = await withLockOrAsk(options, "abort", work);
    if (end.kind === "held") return end.result;
    refuseClosed(model, end.lock);
    if (clock.now() >= until) throw modelLocked(model, end.lock);
    const message = `${end.lock.who} is running \`${end.lock.what}\`: it was asked to make way, and is waited for.`;
    if (!isTold) events({ type: "info", message });
    isTold = true;
    await clock.sleep(turnMs, signal);
  }
}

/**
 * A command that has begun what cannot be stopped is not waited for: there is nothing to lead traffic back to.
 * @throws UserError `way-back-closed` (exit code 4)
 */
export function refuseClosed(model: string, { closed, holder, who, what, since }: PresentLock): void {
  if (closed === undefined) return;
  throw new UserError({
    code: "way-back-closed",
    message: `There is no way back for ${model}: ${closed}, by \`${what}\` of ${who} since ${since}.`,
    hint: "`modelswitch status` shows what is left when that command has ended.",
    exitCode: exitCodes.locked,
    details: { holder: holder ?? who, since },
  });
}

/** The error for a lock that a living command has. */
export function modelLocked(model: string, lock: PresentLock): UserError {
  const { holder, who, what, since, heartbeatSecondsAgo } = lock;
  return new UserError({
    code: "model-locked",
    message: `${who} is running \`${what}\` on ${model} since ${since}, and is alive.`,
    hint: "Wait until it ends and try again, or stop it: `modelswitch pause` or `modelswitch abort` where it works on a rollout, `modelswitch unlock --force` whatever it does.",
    exitCode: exitCodes.locked,
    details: { holder: holder ?? who, since, heartbeatSecondsAgo },
  });
}

type Acquired = { readonly kind: "acquired" } | Extract<LockedOr<never>, { kind: "alive" }>;

/** So often it may have gone to somebody else between a look and a write. */
const maxAttempts = 10;

async function acquire(
  options: LockOptions,
  holder: Holder,
  request: LeaseRequest["kind"],
): Promise<Acquired> {
  for (let attempt = 0; ; attempt++) {
    let found = await options.api.find<LeaseObject>(leasePath(options));
    if (found !== undefined && (found.spec?.holderIdentity ?? "") !== "") {
      const watched = await watchHolder(found, options, request);
      if (watched.kind === "alive") return watched;
      if (watched.kind === "changed" && attempt < maxAttempts) continue;
      // Only this one is known to be dead: the version says that nobody has touched it since.
      if (watched.kind === "dead") found = watched.lease;
    }
    try {
      await take(options, holder, found);
      return { kind: "acquired" };
    } catch (error) {
      const isConflict = error instanceof KubernetesApiError && [404, 409].includes(error.status);
      // Somebody was faster: look who, and say so.
      if (!isConflict || attempt >= maxAttempts) throw error;
    }
  }
}

async function take(options: LockOptions, holder: Holder, found: LeaseObject | undefined): Promise<void> {
  const { api, clock, model, namespace } = options;
  const now = microTime(clock.now());
  const resourceVersion = found?.metadata?.resourceVersion;
  const body: LeaseObject = {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: objectNames(model).record,
      namespace,
      labels: ownLabels(model),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    spec: {
      holderIdentity: identityOf(holder),
      leaseDurationSeconds: leaseSeconds,
      acquireTime: now,
      renewTime: now,
    },
  };
  try {
    await api.json(
      found === undefined
        ? { method: "POST", path: leaseCollection(options), body }
        : { method: "PUT", path: leasePath(options), body },
    );
  } catch (error) {
    // An answer that was lost says nothing of the write: the token does.
    const present = await api.find<LeaseObject>(leasePath(options)).catch(() => undefined);
    if (!isHeldBy(present, holder)) throw error;
  }
}
