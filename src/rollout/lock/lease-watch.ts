import { randomUUID } from "node:crypto";
import { messageOf } from "../../core/errors.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import {
  type LeaseObject,
  type LockOptions,
  leaseMs,
  leasePath,
  type PresentLock,
  parseHolder,
  presentLock,
} from "./lease.ts";
import { type LeaseRequest, requestsIn, withRequests } from "./lease-requests.ts";

/** What watching the holder of a lock has shown. */
export type Watched =
  /** Its process has ended, or no heartbeat came in a whole lease. */
  | { readonly kind: "dead"; readonly lock: PresentLock; readonly lease: LeaseObject }
  /** `heard`: it has taken note of the request. */
  | { readonly kind: "alive"; readonly lock: PresentLock; readonly heard: boolean }
  /** Nobody has it, or somebody else. */
  | { readonly kind: "changed" };

const lookMs = 250;
/** Looks that are further apart show nothing: this machine slept, or the API server was away, when no heartbeat could come. */
const gapMs = 3_000;
/** How long the API server may be away while a holder is watched. */
const awayMs = 30_000;
/** How long a holder that lives may take to hear a request; one that is busy, or of version 0.2, may not at all. */
const hearingMs = 3_000;
/** A holder that lives mostly shows it within a second: only a longer silence is worth telling. */
const tellAfterMs = 1_000;

/**
 * Watches the holder of a Lease until it shows that it lives, or has been silent for a whole lease: by the clock of this machine
 * alone, since those of two machines differ. It is asked to show itself, or for what `request` says.
 */
export async function watchHolder(
  lease: LeaseObject,
  options: LockOptions,
  request: LeaseRequest["kind"] = "hello",
): Promise<Watched> {
  const { clock, signal } = options;
  const found = presentLock(lease, options);
  if (found === undefined) return { kind: "changed" };
  if (found.isGone) return { kind: "dead", lock: found, lease };
  const asked = await askIn(lease, options, request);
  const silence = new Silence(found, options);
  const began = beatOf(lease);
  let [since, seenAt] = [clock.now(), clock.now()];
  let aliveSince: number | undefined;
  try {
    for (;;) {
      await clock.sleep(lookMs, signal);
      const look = await lookAgain(options, seenAt);
      if (look === "away") continue;
      const now = clock.now();
      if (now - seenAt > gapMs) since = now;
      seenAt = now;
      const lock = presentLock(look.lease, options);
      if (look.lease === undefined || lock === undefined) return { kind: "changed" };
      if (look.lease.spec?.holderIdentity !== lease.spec?.holderIdentity) return { kind: "changed" };
      if (lock.isGone) return { kind: "dead", lock, lease: look.lease };
      if (beatOf(look.lease) !== began) {
        aliveSince ??= now;
        const heard = asked !== undefined && !requestsIn(look.lease).some(({ id }) => id === asked);
        const isLate = now - aliveSince >= hearingMs;
        const isRefused = lock.closed !== undefined;
        if (heard || isLate || isRefused || asked === undefined || request === "hello")
          return { kind: "alive", lock, heard };
        continue;
      }
      const leftMs = since + leaseMs(look.lease) - now;
      if (leftMs <= 0) return { kind: "dead", lock, lease: look.lease };
      silence.tell(now - since, leftMs);
    }
  } finally {
    silence.over();
  }
}

/** What only the holder changes. */
function beatOf({ spec }: LeaseObject): string {
  return `${spec?.renewTime} ${spec?.acquireTime}`;
}

async function lookAgain(
  options: LockOptions,
  seenAt: number,
): Promise<{ readonly lease: LeaseObject | undefined } | "away"> {
  const { api, clock, signal } = options;
  try {
    return { lease: await api.find<LeaseObject>(leasePath(options), { signal, timeoutMs: gapMs }) };
  } catch (error) {
    if (signal.aborted || error instanceof KubernetesApiError || clock.now() - seenAt > awayMs) throw error;
    return "away";
  }
}

/** Leaves a request in the Lease; `undefined`: it could not be left, or its holder would not understand it. */
async function askIn(
  lease: LeaseObject,
  options: LockOptions,
  kind: LeaseRequest["kind"],
): Promise<string | undefined> {
  const { api, holder, clock, signal } = options;
  const identity = lease.spec?.holderIdentity ?? "";
  const to = parseHolder(identity)?.token;
  if (to === undefined) return undefined;
  const request: LeaseRequest = {
    ...{ id: randomUUID(), kind, to, by: holder.operator },
    at: new Date(clock.now()).toISOString(),
  };
  try {
    for (let [present, attempt]: [LeaseObject | undefined, number] = [lease, 0]; attempt < 5; attempt++) {
      if (present === undefined || present.spec?.holderIdentity !== identity) return undefined;
      const annotations = withRequests(present, [...requestsIn(present), request]);
      const body = { ...present, metadata: { ...present.metadata, annotations } };
      try {
        await api.json({ method: "PUT", path: leasePath(options), body, signal });
        return request.id;
      } catch (error) {
        // The heartbeat was faster.
        if (!(error instanceof KubernetesApiError && error.status === 409)) throw error;
        present = await api.find<LeaseObject>(leasePath(options), { signal });
      }
    }
  } catch (error) {
    if (signal.aborted) throw error;
    // Whoever may not ask can still watch.
    options.events({
      type: "info",
      message: `The holder of the lock could not be asked to show itself, so it is only watched: ${messageOf(error)}`,
    });
  }
  return undefined;
}

/** Tells of the silence of a holder, with the time that is left to it. */
class Silence {
  readonly #lock: PresentLock;
  readonly #options: LockOptions;
  #told = -1;

  constructor(lock: PresentLock, options: LockOptions) {
    this.#lock = lock;
    this.#options = options;
  }

  tell(silentMs: number, leftMs: number): void {
    if (silentMs < tellAfterMs) return;
    const { events } = this.#options;
    const second = Math.floor(silentMs / 1000);
    if (second === this.#told) return;
    const detail = `silent for ${second} s; its lock ends in ${Math.ceil(leftMs / 1000)} s unless it shows itself`;
    if (this.#told < 0) events({ ...this.#step(), state: "started" });
    events({ ...this.#step(), state: "progress", detail, remainingMs: leftMs });
    this.#told = second;
  }

  over(): void {
    if (this.#told >= 0) this.#options.events({ ...this.#step(), state: "done" });
  }

  #step() {
    const { model } = this.#options;
    const title = `Watch ${this.#lock.who}, who holds the lock of ${model} by \`${this.#lock.what}\``;
    return { type: "step", id: "lock", title } as const;
  }
}
