import type { Clock } from "../core/clock.ts";

/** A request, with JSON or none, and how long an answer may take. */
export interface SendRequest {
  /** @default POST */
  readonly method?: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Of a POST request. */
  readonly body?: string;
  /** What is read of the answer, characters. @default 65 536 */
  readonly largest?: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface SendAnswer {
  readonly status: number;
  /** The beginning of it. */
  readonly body: string;
  /** More came than is read. @default false */
  readonly truncated?: boolean;
}

/** Sends a request. Rejects where no answer came, with a message that names neither path nor query. */
export type Send = (request: SendRequest) => Promise<SendAnswer>;

/** What calls work with: passed in, so that tests replace it. */
export interface CallIo {
  readonly clock: Clock;
  readonly send: Send;
  /** Folder of the configuration file: programs start there. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Variables that programs do not get, beside Pulumi's secrets: keys of signatures, addresses that are secret. */
  readonly withheld: readonly string[];
  /** Variables that programs get beside the environment and the payload's, for example the cluster's context. */
  readonly extra: Readonly<Record<string, string>>;
}
