import type { Clock } from "../../core/clock.ts";
import type { EventSink } from "../../core/events.ts";
import { objectNames } from "../../core/names.ts";
import type { ProcessIdentity } from "../../engine/this-process.ts";
import type { KubernetesApi, KubernetesObject } from "../../kubernetes/api.ts";

/** The Lease of a model, by which one command at a time changes it. */
export interface LeaseObject extends KubernetesObject {
  readonly spec?: {
    readonly holderIdentity?: string;
    readonly leaseDurationSeconds?: number;
    readonly acquireTime?: string;
    readonly renewTime?: string;
  };
}

/** Who holds the lock of a model. Versions up to 0.2 gave neither a token nor where the process number is valid. */
export interface Holder extends Partial<ProcessIdentity> {
  /** `user@host`. */
  readonly operator: string;
  readonly host: string;
  readonly pid: number;
  /** The command, for example `switch green`. */
  readonly command: string;
  /** Random, of this holding alone: host names and process numbers are shared by containers. */
  readonly token?: string | undefined;
}

export interface LockOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly model: string;
  /** Without a token: each holding gets its own. */
  readonly holder: Holder;
  readonly clock: Clock;
  /** Hears of a wait for a holder that is silent. */
  readonly events: EventSink;
  /** Whether the holder's process is known to have ended. */
  readonly isGone: (holder: Holder) => boolean;
  readonly signal: AbortSignal;
  /** Hears when the lock is held, with what aborts when it is lost; what it returns is called when it is given back. */
  readonly onHeld?: (lost: AbortSignal) => () => void;
}

export const leaseSeconds = 20;
export const renewMs = 5_000;
/** How often the holder looks for what others ask of it, and whether the lock is still its own. */
export const hearMs = 200;

/** Why the holder makes way for nobody any more, in words that follow "There is no way back:". */
export const closedAnnotation = "modelswitch.dev/no-way-back";

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
export interface PresentLock {
  /** `undefined`: it was written by something else. */
  readonly holder: Holder | undefined;
  /** For people: `ada@laptop (process 10 on laptop)`. */
  readonly who: string;
  /** What it runs, for people: `modelswitch switch green`. */
  readonly what: string;
  /** ISO 8601, to the second. */
  readonly since: string;
  /** Since its last heartbeat, by the clocks of two machines: for people only. */
  readonly heartbeatSecondsAgo: number;
  /** Whether the heartbeat looks too old, by the clocks of two machines: for people only. */
  readonly looksSilent: boolean;
  /** Whether the process is known to have ended. */
  readonly isGone: boolean;
  /** Why it makes way for nobody any more; `undefined`: it does, or never said. */
  readonly closed: string | undefined;
}

/** Who has the lock, at one look; `undefined`: nobody. */
export function presentLock(
  lease: LeaseObject | undefined,
  options: Pick<LockOptions, "clock" | "isGone">,
): PresentLock | undefined {
  const identity = lease?.spec?.holderIdentity ?? "";
  if (lease === undefined || identity === "") return undefined;
  const holder = parseHolder(identity);
  const age = options.clock.now() - Date.parse(lease.spec?.renewTime ?? "");
  return {
    holder,
    who: holder === undefined ? identity : `${holder.operator} (process ${holder.pid} on ${holder.host})`,
    what: `modelswitch ${holder?.command ?? "?"}`,
    since: lease.spec?.acquireTime?.replace(/\.\d+Z$/, "Z") ?? "an unknown time",
    heartbeatSecondsAgo: Math.max(0, Math.round((Number.isNaN(age) ? 0 : age) / 1000)),
    looksSilent: !(age < leaseMs(lease)),
    isGone: holder !== undefined && options.isGone(holder),
    closed: lease.metadata?.annotations?.[closedAnnotation],
  };
}

/** How long a lock lasts without another heartbeat. */
export function leaseMs(lease: LeaseObject): number {
  const seconds = lease.spec?.leaseDurationSeconds ?? leaseSeconds;
  // Whatever else wrote it: a wait stays a wait.
  return Math.min(Math.max(seconds, 1), 120) * 1000;
}

export function parseHolder(identity: string): Holder | undefined {
  try {
    const value: unknown = JSON.parse(identity);
    if (typeof value !== "object" || value === null) return undefined;
    const { operator, host, pid, command, ...more } = value as Record<string, unknown>;
    if (typeof operator !== "string" || typeof host !== "string") return undefined;
    if (typeof pid !== "number" || typeof command !== "string") return undefined;
    const optional = ["token", "boot", "namespace", "started"].flatMap((name) => {
      const found = more[name];
      return typeof found === "string" ? [[name, found]] : [];
    });
    return { operator, host, pid, command, ...Object.fromEntries(optional) };
  } catch {
    return undefined;
  }
}
