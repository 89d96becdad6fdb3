import type { Clock } from "../core/clock.ts";
import { objectNames } from "../core/names.ts";
import type { KubernetesApi, KubernetesObject } from "../kubernetes/api.ts";

/** The Lease of a model, by which one command at a time changes it. */
export interface LeaseObject extends KubernetesObject {
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

export const leaseSeconds = 20;
export const renewMs = 5_000;

/** Who took the lock from somebody by `unlock --force`, for the command that lost it. */
export const takenByAnnotation = "modelswitch.dev/lock-taken-by";

export function leaseCollection({ namespace }: Pick<LockOptions, "namespace">): string {
  return `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases`;
}

export function leasePath(options: Pick<LockOptions, "namespace" | "model">): string {
  return `${leaseCollection(options)}/${objectNames(options.model).record}`;
}

export function identityOf(holder: Holder): string {
  return JSON.stringify(holder);
}

/** A lock that somebody has. */
export interface HeldLock {
  /** `undefined`: it was written by something else. */
  readonly holder: Holder | undefined;
  /** For people: `ada@laptop (process 10 on laptop)`. */
  readonly who: string;
  /** What it runs, for people: `modelswitch switch green`. */
  readonly what: string;
  /** ISO 8601, to the second. */
  readonly since: string;
  readonly heartbeatSecondsAgo: number;
  /** Milliseconds until it ends without another heartbeat, by the clock of this machine; below 0: it has ended. */
  readonly leftMs: number;
  /** Whether the process is known to have ended, or its heartbeat did not come while it was waited for. */
  readonly isDead: boolean;
}

/** Who has the lock; `undefined`: nobody. Watches for some seconds where only that tells a dead lock from a late heartbeat. */
export async function heldLock(
  lease: LeaseObject | undefined,
  options: LockOptions,
): Promise<HeldLock | undefined> {
  const present = presentLock(lease, options);
  if (lease === undefined || present === undefined) return undefined;
  const { isGone, ...lock } = present;
  return { ...lock, isDead: isGone || (!(lock.leftMs > 0) && (await isSilent(lease, options))) };
}

/** Who has the lock, at one look; `isGone`: the process is known to have ended. */
export function presentLock(
  lease: LeaseObject | undefined,
  options: Pick<LockOptions, "clock" | "isGone">,
): (Omit<HeldLock, "isDead"> & { readonly isGone: boolean }) | undefined {
  const identity = lease?.spec?.holderIdentity ?? "";
  if (lease === undefined || identity === "") return undefined;
  const holder = parseHolder(identity);
  const now = options.clock.now();
  const renewedAt = Date.parse(lease.spec?.renewTime ?? "");
  const leftMs = renewedAt + (lease.spec?.leaseDurationSeconds ?? leaseSeconds) * 1000 - now;
  return {
    holder,
    who: holder === undefined ? identity : `${holder.operator} (process ${holder.pid} on ${holder.host})`,
    what: `modelswitch ${holder?.command ?? "?"}`,
    since: lease.spec?.acquireTime?.replace(/\.\d+Z$/, "Z") ?? "an unknown time",
    heartbeatSecondsAgo: Math.max(0, Math.round((now - renewedAt) / 1000)),
    leftMs,
    isGone: holder !== undefined && options.isGone(holder, Date.parse(lease.spec?.acquireTime ?? "")),
  };
}

/**
 * Clocks of two machines differ, and no heartbeat comes through while the API server is away: a lock that has ended is only dead
 * if none comes while we watch, either.
 */
async function isSilent(lease: LeaseObject, options: LockOptions): Promise<boolean> {
  const watchUntil = options.clock.now() + renewMs + 2_000;
  while (options.clock.now() < watchUntil) {
    await options.clock.sleep(1_000, options.signal);
    const again = await options.api.find<LeaseObject>(leasePath(options));
    if (again?.metadata?.resourceVersion !== lease.metadata?.resourceVersion) return false;
  }
  return true;
}

export function parseHolder(identity: string): Holder | undefined {
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
