import type { Clock } from "../core/clock.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import { objectNames, ownLabels } from "../core/names.ts";
import { type KubernetesApi, KubernetesApiError, type KubernetesObject } from "../kubernetes/api.ts";

interface LeaseObject extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
  };
}

/** Who holds the lock of a model. */
export interface Holder {
  /** `user@host`. */
  readonly operator: string;
  readonly host: string;
  readonly pid: number;
  /** The command, for example `switch green`. */
  readonly command: string;
}

export interface LockOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly model: string;
  readonly holder: Holder;
  readonly clock: Clock;
  /** Whether the process that took the lock at `since` is known to have ended. */
  readonly isGone: (holder: Holder, since: number) => boolean;
  readonly signal: AbortSignal;
}

/** A lock that is held. */
export interface Lock {
  /**
   * Makes sure that the lock is still ours: a machine that slept may have lost it.
   * @throws UserError `lock-lost` (exit code 4)
   */
  check(): Promise<void>;
}

const leaseSeconds = 20;
const renewMs = 5_000;

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

function collection(options: LockOptions): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${options.namespace}/leases`;
}

function path(options: LockOptions): string {
  return `${collection(options)}/${objectNames(options.model).record}`;
}

function identityOf(holder: Holder): string {
  return JSON.stringify(holder);
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
    const found = await options.api.find<LeaseObject>(path(options));
    if (found !== undefined) await refuseIfHeld(found, options);
    try {
      const body = leaseBody(options, acquiredAt, found?.metadata?.resourceVersion);
      await options.api.json(
        found === undefined
          ? { method: "POST", path: collection(options), body }
          : { method: "PUT", path: path(options), body },
      );
      return acquiredAt;
    } catch (error) {
      // Somebody was faster: look who, and say so.
      if (!(error instanceof KubernetesApiError && error.status === 409) || attempt >= 3) throw error;
    }
  }
}

async function check(options: LockOptions): Promise<void> {
  const found = await options.api.find<LeaseObject>(path(options));
  if (found?.spec?.holderIdentity === identityOf(options.holder)) return;
  const holder = parseHolder(found?.spec?.holderIdentity ?? "");
  throw new UserError({
    code: "lock-lost",
    message: `The lock of ${options.model} was lost${holder === undefined ? "" : ` to ${holder.operator} (\`modelswitch ${holder.command}\`)`}: this machine was silent for more than ${leaseSeconds} s.`,
    hint: "Look at `modelswitch status`, then run the command again.",
    exitCode: exitCodes.locked,
  });
}

/** Clocks of two machines differ: a lock of another host is only dead if its heartbeat does not come while we watch. */
async function isSilent(lease: LeaseObject, options: LockOptions): Promise<boolean> {
  const watchUntil = options.clock.now() + renewMs + 2_000;
  while (options.clock.now() < watchUntil) {
    await options.clock.sleep(1_000, options.signal);
    const again = await options.api.find<LeaseObject>(path(options));
    if (again?.metadata?.resourceVersion !== lease.metadata?.resourceVersion) return false;
  }
  return true;
}

async function refuseIfHeld(lease: LeaseObject, options: LockOptions): Promise<void> {
  const identity = lease.spec?.holderIdentity;
  if (identity === undefined || identity === "") return;
  const holder = parseHolder(identity);
  const now = options.clock.now();
  const renewedAt = Date.parse(lease.spec?.renewTime ?? "");
  const durationMs = (lease.spec?.leaseDurationSeconds ?? leaseSeconds) * 1000;
  const leftMs = renewedAt + durationMs - now;
  if (holder !== undefined && options.isGone(holder, Date.parse(lease.spec?.acquireTime ?? ""))) return;
  const sameHost = holder?.host === options.holder.host;
  if (!(leftMs > 0) && (sameHost || (await isSilent(lease, options)))) return;
  const who =
    holder === undefined ? identity : `${holder.operator} (process ${holder.pid} on ${holder.host})`;
  const since = lease.spec?.acquireTime?.replace(/\.\d+Z$/, "Z") ?? "an unknown time";
  const heartbeat = Math.max(0, Math.round((now - renewedAt) / 1000));
  throw new UserError({
    code: "model-locked",
    message: `${who} is running \`modelswitch ${holder?.command ?? "?"}\` on ${options.model} since ${since}; last heartbeat ${heartbeat} s ago.`,
    hint: `Wait until it ends and try again. If it was killed, its lock ends by itself in ${Math.max(1, Math.ceil(leftMs / 1000))} s.`,
    exitCode: exitCodes.locked,
    details: { holder: holder ?? identity, since, heartbeatSecondsAgo: heartbeat },
  });
}

function parseHolder(identity: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(identity);
    if (typeof value !== "object" || value === null) return undefined;
    const { operator, host, pid, command } = value as Partial<Holder>;
    if (typeof operator !== "string" || typeof host !== "string") return undefined;
    if (typeof pid !== "number" || typeof command !== "string") return undefined;
    return { operator, host, pid, command };
  } catch {
    return undefined;
  }
}

async function keepAlive(options: LockOptions, acquiredAt: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    try {
      await options.clock.sleep(renewMs, signal);
    } catch {
      return;
    }
    try {
      const found = await options.api.find<LeaseObject>(path(options));
      // Whoever took it over believed us dead: do not fight for it.
      if (found?.spec?.holderIdentity !== identityOf(options.holder)) return;
      const body = leaseBody(options, acquiredAt, found.metadata?.resourceVersion);
      await options.api.json({ method: "PUT", path: path(options), body });
    } catch {
      // A missed heartbeat is made up by the next one; the Lease outlives three of them.
    }
  }
}

/** Gives the lock back. A failure is of no consequence: the Lease ends by itself. */
async function release(options: LockOptions): Promise<void> {
  try {
    const found = await options.api.find<LeaseObject>(path(options));
    if (found?.spec?.holderIdentity !== identityOf(options.holder)) return;
    await options.api.request({
      method: "DELETE",
      path: path(options),
      body: { preconditions: { resourceVersion: found.metadata?.resourceVersion } },
    });
  } catch {
    // See above.
  }
}
