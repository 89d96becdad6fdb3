import { exitCodes, UserError } from "../../core/errors.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import {
  closedAnnotation,
  type Holder,
  hearMs,
  type LeaseObject,
  type LockOptions,
  leasePath,
  leaseSeconds,
  parseHolder,
  renewMs,
  takenByAnnotation,
} from "./lease.ts";
import { type LeaseRequest, requestsIn, withRequests } from "./lease-requests.ts";

/** A lock that is held. */
export interface Lock {
  /** Aborts as soon as the lock is seen to be lost; its reason is the error `lock-lost`. */
  readonly signal: AbortSignal;
  /**
   * Makes sure, by a fresh look, that the lock is still ours: a machine that slept may have lost it.
   * @throws UserError `lock-lost` (exit code 4)
   */
  assertHeld(): Promise<void>;
  /** The same as `assertHeld`. */
  check(): Promise<void>;
  /**
   * Hears what other commands ask of this one, each within half a second; what came before somebody listens waits for that. Returns
   * what ends it.
   */
  hear(listener: (request: LeaseRequest) => void): () => void;
  /**
   * From now on a way back ends what the lock is held for: the signal aborts with the error `made-way` as soon as `asks` says yes to a
   * request. Returns what ends that.
   */
  yieldTo(asks: WayAsked): () => void;
  /**
   * From here on what the lock is held for cannot be stopped: whoever leads traffic back is refused at once, with the words of `why`.
   * @throws UserError `made-way` where somebody has asked before; `lock-lost`
   */
  close(why: string): Promise<void>;
}

/** Whether what is asked is a way back. */
export type WayAsked = (request: LeaseRequest) => boolean | Promise<boolean>;

/** Each request is given up before the Lease ends: a connection that is dead without a word must not cost the lock. */
const requestMs = 4_000;

/** So often a Lease may be written by others while it is given back. */
const maxAttempts = 5;

/** Whether a Lease is of this holding. */
export function isHeldBy(lease: LeaseObject | undefined, { token }: Holder): lease is LeaseObject {
  return token !== undefined && parseHolder(lease?.spec?.holderIdentity ?? "")?.token === token;
}

/** Kubernetes' MicroTime. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}

/** A lock that is held: its heartbeat, its loss, and what others ask. */
export class HeldLock implements Lock {
  readonly #options: LockOptions;
  readonly #holder: Holder;
  readonly #lost = new AbortController();
  readonly #leave = new AbortController();
  readonly #listeners = new Set<(request: LeaseRequest) => void>();
  readonly #yields = new Set<WayAsked>();
  #isClosed = false;
  /** Ids of requests that were passed on. */
  readonly #heard = new Set<string>();
  readonly #beating: Promise<void>;

  constructor(options: LockOptions, holder: Holder) {
    this.#options = options;
    this.#holder = holder;
    this.#beating = this.#beat();
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  async assertHeld(): Promise<void> {
    if (this.signal.aborted) throw this.signal.reason;
    const found = await this.#options.api.find<LeaseObject>(leasePath(this.#options));
    if (isHeldBy(found, this.#holder)) return;
    this.#lose(found);
    throw this.signal.reason;
  }

  check(): Promise<void> {
    return this.assertHeld();
  }

  hear(listener: (request: LeaseRequest) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  yieldTo(asks: WayAsked): () => void {
    const stop = this.hear((request) => {
      // Who can't find out goes on: whoever asks does so again.
      const answer = Promise.resolve(asks(request)).catch(() => false);
      void answer.then((isAsked) => {
        if (isAsked && this.#yields.has(asks)) this.#makeWay(request);
      });
    });
    this.#yields.add(asks);
    return () => {
      this.#yields.delete(asks);
      stop();
    };
  }

  async close(why: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      await this.assertHeld();
      const path = leasePath(this.#options);
      const found = await this.#options.api.find<LeaseObject>(path, { timeoutMs: requestMs });
      if (!isHeldBy(found, this.#holder)) continue;
      const asked = this.#open(found).find(({ kind }) => kind === "abort");
      // Asked before this is written is asked in time.
      if (asked !== undefined && this.#yields.size > 0) this.#makeWay(asked);
      if (this.signal.aborted) throw this.signal.reason;
      const annotations = { ...found.metadata?.annotations, [closedAnnotation]: why };
      const body = { ...found, metadata: { ...found.metadata, annotations } };
      try {
        await this.#options.api.json({ method: "PUT", path, body, timeoutMs: requestMs });
        this.#isClosed = true;
        return;
      } catch (error) {
        const isConflict = error instanceof KubernetesApiError && error.status === 409;
        if (!isConflict || attempt >= maxAttempts) throw error;
      }
    }
  }

  /** Gives the lock back. A failure is of no consequence: the Lease ends by itself. */
  async leave(): Promise<void> {
    this.#leave.abort();
    await this.#beating;
    const { api } = this.#options;
    const path = leasePath(this.#options);
    try {
      for (let attempt = 0; attempt < maxAttempts; attempt++) {
        const found = await api.find<LeaseObject>(path, { timeoutMs: requestMs });
        if (!isHeldBy(found, this.#holder)) return;
        const preconditions = { resourceVersion: found.metadata?.resourceVersion };
        const answer = await api.request({ method: "DELETE", path, body: { preconditions } });
        // Somebody has left a request in between, who now finds that the lock is free.
        if (answer.status !== 409) return;
      }
    } catch {
      // See above.
    }
  }

  /** Ends what the lock is held for: somebody needs it for a way back, which waits for nothing. It is given back as after any end. */
  #makeWay({ by }: Pick<LeaseRequest, "by">): void {
    if (this.signal.aborted || this.#isClosed) return;
    this.#lost.abort(
      new UserError({
        code: "made-way",
        message: `${by} leads traffic of ${this.#options.model} back, and this command made way for it.`,
        hint: "Look at `modelswitch status`, then run the command again.",
        exitCode: exitCodes.locked,
      }),
    );
  }

  #lose(found: LeaseObject | undefined): void {
    if (!this.signal.aborted) this.#lost.abort(lockLost(this.#options.model, found));
  }

  /** Renews the Lease, and looks often whether it is still ours and whether somebody has asked for something. */
  async #beat(): Promise<void> {
    const { clock } = this.#options;
    let renewedAt = clock.now();
    for (;;) {
      try {
        await clock.sleep(hearMs, this.#leave.signal);
      } catch {
        return;
      }
      try {
        const found = await this.#options.api.find<LeaseObject>(leasePath(this.#options), {
          timeoutMs: requestMs,
        });
        // Whoever took it over believed us dead: do not fight for it.
        if (!isHeldBy(found, this.#holder)) return this.#lose(found);
        const isNews = this.#listen(found);
        const now = clock.now();
        if (!isNews && now - renewedAt < renewMs) continue;
        if (await this.#renew(found, now)) renewedAt = now;
      } catch {
        // A missed heartbeat is made up by the next one.
      }
    }
  }

  /** Passes on what is asked. Whether something is to be taken out of the Lease. */
  #listen(found: LeaseObject): boolean {
    let isNews = false;
    for (const request of requestsIn(found)) {
      if (request.to !== this.#holder.token) continue;
      // To show that it lives, or that it makes way for nobody, it need only answer.
      if (request.kind !== "hello" && this.#listeners.size === 0 && !this.#isClosed) continue;
      isNews = true;
      if (this.#heard.has(request.id)) continue;
      this.#heard.add(request.id);
      if (request.kind === "hello") continue;
      for (const listener of this.#listeners) listener(request);
    }
    return isNews;
  }

  /** What is asked of this holding and was not passed on yet. */
  #open(found: LeaseObject): LeaseRequest[] {
    return requestsIn(found).filter(({ id, to }) => to === this.#holder.token && !this.#heard.has(id));
  }

  /** `false`: somebody left a request at the same moment, which is seen at the next look. */
  async #renew(found: LeaseObject, now: number): Promise<boolean> {
    const open = this.#open(found);
    const body = {
      ...found,
      metadata: { ...found.metadata, annotations: withRequests(found, open) },
      spec: { ...found.spec, leaseDurationSeconds: leaseSeconds, renewTime: microTime(now) },
    };
    const path = leasePath(this.#options);
    try {
      await this.#options.api.json({ method: "PUT", path, body, timeoutMs: requestMs });
      return true;
    } catch (error) {
      if (!(error instanceof KubernetesApiError && error.status === 409)) throw error;
      return false;
    }
  }
}

function lockLost(model: string, found: LeaseObject | undefined): UserError {
  const holder = parseHolder(found?.spec?.holderIdentity ?? "");
  const taker = found?.metadata?.annotations?.[takenByAnnotation];
  const to = holder === undefined ? "" : ` to ${holder.operator} (\`modelswitch ${holder.command}\`)`;
  const why =
    taker === undefined
      ? `it was taken away, or this machine was silent for more than ${leaseSeconds} s`
      : `${taker} took it away by \`modelswitch unlock\``;
  return new UserError({
    code: "lock-lost",
    message: `The lock of ${model} was lost${to}: ${why}. The command stopped.`,
    hint: "Look at `modelswitch status`, then run the command again.",
    exitCode: exitCodes.locked,
  });
}
