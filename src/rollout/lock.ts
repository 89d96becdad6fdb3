import { exitCodes, UserError } from "../core/errors.ts";
import { objectNames, ownLabels } from "../core/names.ts";
import { KubernetesApiError } from "../kubernetes/api.ts";
import {
  heldLock,
  identityOf,
  type LeaseObject,
  type LockOptions,
  leaseCollection,
  leasePath,
  leaseSeconds,
  parseHolder,
  renewMs,
  takenByAnnotation,
} from "./lease.ts";

/** How soon a heartbeat that did not come through is tried again. */
const retryMs = 1_000;

/** A lock that is held. */
export interface Lock {
  /**
   * Makes sure that the lock is still ours: a machine that slept may have lost it.
   * @throws UserError `lock-lost` (exit code 4)
   */
  check(): Promise<void>;
}

/**
 * Runs `work` while holding the Lease of the model, so that one command at a time changes it. The Lease is renewed while the
 * work lasts. A lock whose process is gone (same host) or whose heartbeat stopped is taken over.
 * @throws UserError `model-locked` (exit code 4) naming who holds it and since when
 */
export async function withLock<T>(options: LockOptions, work: (lock: Lock) => Promise<T>): Promise<T> {
  const acquiredAt = await acquire(options);
  const stop = new AbortController();
  const heartbeat = keepAlive(options, acquiredAt, stop.signal);
  try {
    return await work({ check: () => check(options) });
  } finally {
    stop.abort();
    await heartbeat;
    await release(options);
  }
}

/** Kubernetes' MicroTime. */
function microTime(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}

function leaseBody(
  options: LockOptions,
  acquiredAt: string,
  resourceVersion: string | undefined,
): LeaseObject {
  return {
    apiVersion: "coordination.k8s.io/v1",
    kind: "Lease",
    metadata: {
      name: objectNames(options.model).record,
      namespace: options.namespace,
      labels: ownLabels(options.model),
      ...(resourceVersion === undefined ? {} : { resourceVersion }),
    },
    spec: {
      holderIdentity: identityOf(options.holder),
      leaseDurationSeconds: leaseSeconds,
      acquireTime: acquiredAt,
      renewTime: microTime(options.clock.now()),
    },
  };
}

async function acquire(options: LockOptions): Promise<string> {
  const acquiredAt = microTime(options.clock.now());
  for (let attempt = 0; ; attempt++) {
    const found = await options.api.find<LeaseObject>(leasePath(options));
    if (found !== undefined) await refuseIfHeld(found, options);
    try {
      const body = leaseBody(options, acquiredAt, found?.metadata?.resourceVersion);
      await options.api.json(
        found === undefined
          ? { method: "POST", path: leaseCollection(options), body }
          : { method: "PUT", path: leasePath(options), body },
      );
      return acquiredAt;
    } catch (error) {
      // Somebody was faster: look who, and say so.
      if (!(error instanceof KubernetesApiError && error.status === 409) || attempt >= 3) throw error;
    }
  }
}

async function check(options: LockOptions): Promise<void> {
  const found = await options.api.find<LeaseObject>(leasePath(options));
  if (found?.spec?.holderIdentity === identityOf(options.holder)) return;
  const holder = parseHolder(found?.spec?.holderIdentity ?? "");
  const taker = found?.metadata?.annotations?.[takenByAnnotation];
  const to = holder === undefined ? "" : ` to ${holder.operator} (\`modelswitch ${holder.command}\`)`;
  const why =
    taker === undefined
      ? `it was taken away, or this machine was silent for more than ${leaseSeconds} s`
      : `${taker} took it away by \`modelswitch unlock\``;
  throw new UserError({
    code: "lock-lost",
    message: `The lock of ${options.model} was lost${to}: ${why}. The command stopped before its next step.`,
    hint: "Look at `modelswitch status`, then run the command again.",
    exitCode: exitCodes.locked,
  });
}

async function refuseIfHeld(lease: LeaseObject, options: LockOptions): Promise<void> {
  const lock = await heldLock(lease, options);
  if (lock === undefined || lock.isDead) return;
  const { holder, who, what, since, heartbeatSecondsAgo, leftMs } = lock;
  throw new UserError({
    code: "model-locked",
    message: `${who} is running \`${what}\` on ${options.model} since ${since}; last heartbeat ${heartbeatSecondsAgo} s ago.`,
    hint: `Wait until it ends and try again. If it was killed, its lock ends by itself in ${Math.max(1, Math.ceil(leftMs / 1000))} s; \`modelswitch unlock\` says more.`,
    exitCode: exitCodes.locked,
    details: { holder: holder ?? lock.who, since, heartbeatSecondsAgo },
  });
}

async function keepAlive(options: LockOptions, acquiredAt: string, signal: AbortSignal): Promise<void> {
  // Each request is given up before the Lease ends: a connection that is dead without a word must not cost the lock.
  const timeoutMs = renewMs;
  let pause = renewMs;
  for (;;) {
    try {
      await options.clock.sleep(pause, signal);
    } catch {
      return;
    }
    try {
      const found = await options.api.find<LeaseObject>(leasePath(options), { timeoutMs });
      // Whoever took it over believed us dead: do not fight for it.
      if (found?.spec?.holderIdentity !== identityOf(options.holder)) return;
      const body = leaseBody(options, acquiredAt, found.metadata?.resourceVersion);
      await options.api.json({ method: "PUT", path: leasePath(options), body, timeoutMs });
      pause = renewMs;
    } catch {
      // A missed heartbeat is made up by the next one.
      pause = retryMs;
    }
  }
}

/** Gives the lock back. A failure is of no consequence: the Lease ends by itself. */
async function release(options: LockOptions): Promise<void> {
  try {
    const found = await options.api.find<LeaseObject>(leasePath(options));
    if (found?.spec?.holderIdentity !== identityOf(options.holder)) return;
    await options.api.request({
      method: "DELETE",
      path: leasePath(options),
      body: { preconditions: { resourceVersion: found.metadata?.resourceVersion } },
    });
  } catch {
    // See above.
  }
}
