import { isIP } from "node:net";
import { Pool } from "undici";
import { exitCodes, UserError } from "../src/core/errors.ts";
import { LatencyHistogram, type LatencySummary } from "./histogram.ts";
import { type AnswerCheck, checkAnswer } from "./open-inference.ts";
import { Timeline, type TimelineReport } from "./timeline.ts";

/** Limits that no run may exceed: a load generator is a loaded gun. */
export const loadLimits = { ratePerSecond: 5000, durationMs: 3_600_000, inFlight: 10_000 } as const;

export interface LoadOptions {
  /** Where the ingress listens; only loopback addresses are accepted. */
  readonly url: string;
  /** The Host header: the model's public name. */
  readonly host: string;
  /** Path and query; a function receives the number of the request. */
  readonly path: string | ((index: number) => string);
  /** Body of an inference request; a function receives the number of the request. */
  readonly body: string | ((index: number) => string);
  /** Requests started per second, whatever happens to their answers (open loop). */
  readonly ratePerSecond: number;
  /** Versions that may answer. @default any */
  readonly versions?: readonly string[];
  /** Whether the body of a 2xx answer is complete, and of which version. @default as an answer of the Open Inference protocol */
  readonly check?: (body: string, index: number) => AnswerCheck;
  readonly headers?: Readonly<Record<string, string>>;
  /** Share of requests on a new connection; the others reuse connections. @default 0.1 */
  readonly freshShare?: number;
  /** A request without its whole answer after this time has failed; a function receives its number. @default 30 000 */
  readonly timeoutMs?: number | ((index: number) => number);
  /** Requests that find so many unanswered count as failed without being sent. @default 2000 */
  readonly maximumInFlight?: number;
  /** So many failures are in the report one by one, the first ones. @default 50 */
  readonly keptFailures?: number;
  /** The run stops by itself. @default 15 minutes */
  readonly maximumDurationMs?: number;
  /** Ends the run at once; requests in flight are cancelled and not counted as failed. */
  readonly signal: AbortSignal;
}

export type FailureKind =
  | "connection"
  | "timeout"
  | "status"
  /** A 2xx answer that is no complete Open Inference answer of a known version. */
  | "invalid-answer"
  /** Not sent: too many requests were unanswered. */
  | "in-flight-limit";

export interface FailedRequest {
  /** Milliseconds since the start of the run at which it should have been, and was, sent. */
  readonly intendedAtMs: number;
  readonly sentAtMs: number;
  readonly failedAtMs: number;
  readonly kind: FailureKind;
  readonly reason: string;
  readonly path: string;
  readonly freshConnection: boolean;
}

export interface VersionReport {
  readonly answers: number;
  readonly latency: LatencySummary;
}

export interface LoadReport {
  /** Milliseconds since the Unix epoch. */
  readonly startedAt: number;
  readonly durationMs: number;
  readonly ratePerSecond: number;
  /** Requests that ended: `succeeded + failed`. */
  readonly requests: number;
  readonly succeeded: number;
  readonly failed: number;
  /** Cancelled by an abort of the run, or still unanswered in a snapshot; not part of `requests`. */
  readonly unfinished: number;
  readonly freshConnections: number;
  readonly failuresByKind: Readonly<Partial<Record<FailureKind, number>>>;
  /** The first failures, for the report. */
  readonly failures: readonly FailedRequest[];
  /** Latency of answers, from the moment at which the request should have been sent (no coordinated omission). */
  readonly latency: LatencySummary;
  readonly versions: Readonly<Record<string, VersionReport>>;
  /** How late requests were sent: what the load generator itself adds to the latency. */
  readonly sendDelay: LatencySummary;
  readonly timeline: TimelineReport;
}

export interface LoadRun {
  /** Starts no more requests, waits for the answers of those in flight (each has its timeout), and reports. */
  stop(): Promise<LoadReport>;
  /** The report so far. */
  snapshot(): LoadReport;
  /** Resolves when the run has ended for whatever reason: `stop()`, its longest duration or an abort. */
  readonly ended: Promise<LoadReport>;
}

/** Starts constant load and returns at once. @throws UserError `load-refused` */
export function startLoad(options: LoadOptions): LoadRun {
  checkOptions(options);
  return new OpenLoop(options);
}

class OpenLoop implements LoadRun {
  readonly ended: Promise<LoadReport>;
  readonly #options: LoadOptions;
  readonly #maximumInFlight: number;
  readonly #freshEvery: number;
  readonly #kept: Pool;
  readonly #fresh: Pool;
  readonly #inFlight = new Set<AbortController>();
  readonly #startedAt = Date.now();
  readonly #start = performance.now();
  readonly #all = new LatencyHistogram();
  readonly #sendDelay = new LatencyHistogram();
  readonly #byVersion = new Map<string, LatencyHistogram>();
  readonly #timeline = new Timeline();
  readonly #failuresByKind: Partial<Record<FailureKind, number>> = {};
  readonly #failures: FailedRequest[] = [];
  #failed = 0;
  #cancelled = 0;
  #freshConnections = 0;
  #nextIndex = 0;
  #stopping = false;
  #endedAtMs: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #resolveEnded: (report: LoadReport) => void = () => {};

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#maximumInFlight = options.maximumInFlight ?? 2000;
    const freshShare = options.freshShare ?? 0.1;
    this.#freshEvery = freshShare <= 0 ? Number.POSITIVE_INFINITY : Math.round(1 / freshShare);
    // Each request has a deadline of its own.
    const timeouts = { connect: { timeout: 0 }, headersTimeout: 0, bodyTimeout: 0 };
    this.#kept = new Pool(options.url, { ...timeouts, pipelining: 1 });
    // Without pipelining undici closes a connection after each answer.
    this.#fresh = new Pool(options.url, { ...timeouts, pipelining: 0 });
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    options.signal.addEventListener("abort", this.#onAbort, { once: true });
    this.#tick();
  }

  stop(): Promise<LoadReport> {
    this.#stopping = true;
    clearTimeout(this.#timer);
    this.#endWhenIdle();
    return this.ended;
  }

  snapshot(): LoadReport {
    const latency = this.#all.summary();
    return {
      startedAt: this.#startedAt,
      durationMs: this.#endedAtMs ?? this.#now(),
      ratePerSecond: this.#options.ratePerSecond,
      requests: latency.count + this.#failed,
      succeeded: latency.count,
      failed: this.#failed,
      unfinished: this.#inFlight.size + this.#cancelled,
      freshConnections: this.#freshConnections,
      failuresByKind: { ...this.#failuresByKind },
      failures: [...this.#failures],
      latency,
      versions: Object.fromEntries(
        [...this.#byVersion]
          .sort(([a], [b]) => a.localeCompare(b))
          .map(([version, histogram]) => [
            version,
            { answers: histogram.count, latency: histogram.summary() },
          ]),
      ),
      sendDelay: this.#sendDelay.summary(),
      timeline: this.#timeline.report(),
    };
  }

  readonly #onAbort = () => {
    this.#stopping = true;
    clearTimeout(this.#timer);
    for (const request of this.#inFlight) request.abort();
    this.#endWhenIdle();
  };

  #now(): number {
    return performance.now() - this.#start;
  }

  #intendedAt(index: number): number {
    return (index * 1000) / this.#options.ratePerSecond;
  }

  /** Sends everything that is due: when the process was held up, the requests it missed are sent late, not left out. */
  #tick(): void {
    if (this.#stopping || this.#options.signal.aborted) {
      this.#onAbort();
      return;
    }
    const now = this.#now();
    if (now >= (this.#options.maximumDurationMs ?? 900_000)) {
      void this.stop();
      return;
    }
    while (this.#intendedAt(this.#nextIndex) <= now) {
      void this.#send(this.#nextIndex);
      this.#nextIndex += 1;
    }
    this.#timer = setTimeout(
      () => this.#tick(),
      Math.max(0, this.#intendedAt(this.#nextIndex) - this.#now()),
    );
  }

  async #send(index: number): Promise<void> {
    const { body, host, headers, versions, signal } = this.#options;
    const path = valueAt(this.#options.path, index);
    const timeoutMs = valueAt(this.#options.timeoutMs ?? 30_000, index);
    const intendedAtMs = this.#intendedAt(index);
    const sentAtMs = this.#now();
    const freshConnection = index % this.#freshEvery === this.#freshEvery - 1;
    const fail = (kind: FailureKind, reason: string) =>
      this.#fail({ intendedAtMs, sentAtMs, failedAtMs: this.#now(), kind, reason, path, freshConnection });
    this.#sendDelay.record(sentAtMs - intendedAtMs);
    if (this.#inFlight.size >= this.#maximumInFlight) {
      fail("in-flight-limit", `${this.#inFlight.size} requests were unanswered`);
      return;
    }
    if (freshConnection) this.#freshConnections += 1;
    const controller = new AbortController();
    this.#inFlight.add(controller);
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      controller.abort();
    }, timeoutMs);
    try {
      const answer = await (freshConnection ? this.#fresh : this.#kept).request({
        method: "POST",
        path,
        headers: { "content-type": "application/json", ...headers, host },
        body: valueAt(body, index),
        signal: controller.signal,
      });
      const text = await answer.body.text();
      if (answer.statusCode < 200 || answer.statusCode > 299) {
        fail("status", `${answer.statusCode} ${text.trim().slice(0, 200)}`);
        return;
      }
      const versionHeader = answer.headers["x-model-version"];
      const check =
        this.#options.check?.(text, index) ??
        checkAnswer(text, typeof versionHeader === "string" ? versionHeader : undefined, versions);
      if (check.verdict === "invalid") fail("invalid-answer", check.reason);
      else this.#succeed(check.version, intendedAtMs);
    } catch (error) {
      if (signal.aborted) this.#cancelled += 1;
      else if (timedOut) fail("timeout", `no whole answer within ${timeoutMs} ms`);
      else fail("connection", describe(error));
    } finally {
      clearTimeout(timer);
      this.#inFlight.delete(controller);
      this.#endWhenIdle();
    }
  }

  #succeed(version: string, intendedAtMs: number): void {
    const now = this.#now();
    const latency = now - intendedAtMs;
    this.#all.record(latency);
    let histogram = this.#byVersion.get(version);
    if (histogram === undefined) {
      histogram = new LatencyHistogram();
      this.#byVersion.set(version, histogram);
    }
    histogram.record(latency);
    this.#timeline.answer(now, version, latency);
  }

  #fail(failure: FailedRequest): void {
    this.#failed += 1;
    this.#failuresByKind[failure.kind] = (this.#failuresByKind[failure.kind] ?? 0) + 1;
    if (this.#failures.length < (this.#options.keptFailures ?? 50)) this.#failures.push(failure);
    this.#timeline.failure(failure.failedAtMs);
  }

  #endWhenIdle(): void {
    if (!this.#stopping || this.#inFlight.size > 0 || this.#endedAtMs !== undefined) return;
    this.#endedAtMs = this.#now();
    this.#options.signal.removeEventListener("abort", this.#onAbort);
    const report = this.snapshot();
    void Promise.allSettled([this.#kept.destroy(), this.#fresh.destroy()]).then(() =>
      this.#resolveEnded(report),
    );
  }
}

function valueAt<T extends string | number>(value: T | ((index: number) => T), index: number): T {
  return typeof value === "function" ? value(index) : value;
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" ? `${code}: ${error.message}` : error.message;
}

function refuse(message: string): UserError {
  return new UserError({
    code: "load-refused",
    message,
    hint: "The load generator is for local clusters only, with bounded rate and time.",
    exitCode: exitCodes.usage,
  });
}

/** Only this machine may be a target. */
export function isLoopback(url: string): boolean {
  const { hostname, protocol } = new URL(url);
  if (protocol !== "http:") return false;
  if (hostname === "localhost" || hostname === "[::1]") return true;
  return isIP(hostname) === 4 && hostname.startsWith("127.");
}

function checkOptions(options: LoadOptions): void {
  if (!isLoopback(options.url)) {
    throw refuse(`The load's target is ${options.url}, but only http:// on a loopback address is accepted.`);
  }
  const within = (name: string, value: number | undefined, least: number, most: number) => {
    if (value !== undefined && !(value >= least && value <= most)) {
      throw refuse(`The load's ${name} is ${value}, but it must be from ${least} to ${most}.`);
    }
  };
  within("ratePerSecond", options.ratePerSecond, 0.1, loadLimits.ratePerSecond);
  within("freshShare", options.freshShare, 0, 1);
  const { timeoutMs } = options;
  within("timeoutMs", typeof timeoutMs === "function" ? undefined : timeoutMs, 1, loadLimits.durationMs);
  within("maximumInFlight", options.maximumInFlight, 1, loadLimits.inFlight);
  within("maximumDurationMs", options.maximumDurationMs, 1, loadLimits.durationMs);
}
