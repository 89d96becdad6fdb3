import { Pool } from "undici";
import { interrupted, messageOf, UserError } from "../src/core/errors.ts";
import { isLoopback } from "./load.ts";
import { checkAnswer } from "./open-inference.ts";

export interface CalibrationOptions {
  readonly url: string;
  readonly host: string;
  readonly path: string;
  readonly body: string;
  readonly signal: AbortSignal;
  /** How long the burst lasts. @default 2000 */
  readonly durationMs?: number;
  /** Requests under way at a time during the burst. @default 8 */
  readonly concurrency?: number;
  /** Share of the burst's throughput that is taken as the constant rate. @default 0.3 */
  readonly share?: number;
  /** Bounds of the rate. @default 5 to 300 per second */
  readonly bounds?: readonly [least: number, most: number];
}

export interface Calibration {
  /** Requests per second that the machine sustains with room for everything else that a switch does. */
  readonly ratePerSecond: number;
  /** Answers per second of the burst. */
  readonly throughput: number;
}

/**
 * Finds a rate that this machine sustains: a short closed-loop burst, and a share of what it got through. The rest of the machine is
 * for the switch itself: a load that saturates it would measure the queue, not the switch.
 * @throws UserError `calibration-failed` when the model does not answer
 */
export async function calibrate(options: CalibrationOptions): Promise<Calibration> {
  const { url, host, path, body } = options;
  const [least, most] = options.bounds ?? [5, 300];
  if (!isLoopback(url)) throw new RangeError(`${url} is no loopback address`);
  const durationMs = options.durationMs ?? 2000;
  const pool = new Pool(url, { pipelining: 1, headersTimeout: 30_000, bodyTimeout: 30_000 });
  const start = performance.now();
  let answers = 0;
  const worker = async () => {
    while (performance.now() - start < durationMs) {
      const answer = await pool.request({
        method: "POST",
        path,
        headers: { "content-type": "application/json", host },
        body,
        signal: options.signal,
      });
      const text = await answer.body.text();
      const version = answer.headers["x-model-version"];
      const check = checkAnswer(text, typeof version === "string" ? version : undefined, undefined);
      if (answer.statusCode !== 200 || check.verdict === "invalid") {
        throw new UserError({
          code: "calibration-failed",
          message: `${url}${path} (host ${host}) answered ${answer.statusCode} ${text.trim().slice(0, 200)}.`,
          hint: "Look at the model's pods and the Ingress with `modelswitch status`.",
        });
      }
      answers += 1;
    }
  };
  try {
    await Promise.all(Array.from({ length: options.concurrency ?? 8 }, worker));
  } catch (error) {
    if (options.signal.aborted) throw interrupted("The search for a load");
    if (error instanceof UserError) throw error;
    throw new UserError({
      code: "calibration-failed",
      message: `${url}${path} (host ${host}) did not answer: ${messageOf(error)}.`,
      hint: "Look at the ingress controller with `modelswitch cluster status`.",
      cause: error,
    });
  } finally {
    await pool.destroy();
  }
  const throughput = answers / ((performance.now() - start) / 1000);
  const wanted = Math.floor(throughput * (options.share ?? 0.3));
  return { ratePerSecond: Math.min(most, Math.max(least, wanted)), throughput };
}
