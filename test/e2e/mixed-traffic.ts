import { type AnswerCheck, checkAnswer } from "../../demo/open-inference.ts";

/** What clients of a model server send at the same time: quick requests, slow ones, and streams. */
export interface MixedTraffic {
  readonly path: (index: number) => string;
  /** A request without its whole answer after this time has failed, milliseconds. */
  readonly timeoutMs: (index: number) => number;
  /** Whether an answer is whole: a stream that lacks one event is not. */
  readonly check: (body: string, index: number) => AnswerCheck;
}

export interface MixedTrafficOptions {
  readonly versions: readonly string[];
  /** How long a stream lasts, seconds. */
  readonly streamSeconds: number;
  /** How long a slow request takes, milliseconds. @default 5000 */
  readonly slowMs?: number;
  /** One request of so many is a stream. @default 80 */
  readonly streamEvery?: number;
}

type Kind = "quick" | "slow" | "stream";

/** One request of twenty is slow, one of `streamEvery` is a stream, the rest are inference requests. Pure. */
export function mixedTraffic(options: MixedTrafficOptions): MixedTraffic {
  const { versions, streamSeconds, slowMs = 5000, streamEvery = 80 } = options;
  const kindOf = (index: number): Kind =>
    index % streamEvery === 7 % streamEvery ? "stream" : index % 20 === 3 ? "slow" : "quick";
  return {
    path: (index) => {
      switch (kindOf(index)) {
        case "quick":
          return "/v2/models/demo/infer";
        case "slow":
          return `/slow?ms=${slowMs}`;
        case "stream":
          return `/stream?seconds=${streamSeconds}`;
      }
    },
    timeoutMs: (index) => {
      const patience = 30_000;
      switch (kindOf(index)) {
        case "quick":
          return patience;
        case "slow":
          return slowMs + patience;
        case "stream":
          return streamSeconds * 1000 + patience;
      }
    },
    check: (body, index) => {
      switch (kindOf(index)) {
        case "quick":
          return checkAnswer(body, undefined, versions);
        case "slow":
          return known(versionIn(body), versions);
        case "stream":
          return checkStream(body, versions);
      }
    },
  };
}

/** A whole stream of server-sent events: numbered from 1, without a gap, to the number that each of them names. Pure. */
export function checkStream(body: string, versions: readonly string[]): AnswerCheck {
  const events = body.split("\n").flatMap((line) => (line.startsWith("data: ") ? [line.slice(6)] : []));
  return checkMessages(events, versions);
}

/** The messages of a whole stream, or of a WebSocket that came to its own end. Pure. */
export function checkMessages(events: readonly string[], versions: readonly string[]): AnswerCheck {
  let previous = 0;
  let total = 0;
  let version: string | undefined;
  for (const text of events) {
    const event = eventIn(text);
    if (event === undefined)
      return invalid(`the stream has an event that cannot be read: ${text.slice(0, 80)}`);
    if (event.index !== previous + 1) return invalid(`event ${event.index} came after event ${previous}`);
    if (version !== undefined && event.version !== version)
      return invalid("two versions answered one stream");
    previous = event.index;
    total = event.of;
    version = event.version;
  }
  if (version === undefined) return invalid("the stream has no event");
  if (previous !== total) return invalid(`the stream ended after event ${previous} of ${total}`);
  return known(version, versions);
}

function eventIn(text: string): { index: number; of: number; version: string } | undefined {
  try {
    const { index, of, version } = JSON.parse(text) as Record<string, unknown>;
    if (typeof index !== "number" || typeof of !== "number" || typeof version !== "string") return undefined;
    return { index, of, version };
  } catch {
    return undefined;
  }
}

function versionIn(body: string): string | undefined {
  try {
    const { version } = JSON.parse(body) as { version?: unknown };
    return typeof version === "string" ? version : undefined;
  } catch {
    return undefined;
  }
}

function known(version: string | undefined, versions: readonly string[]): AnswerCheck {
  if (version !== undefined && versions.includes(version)) return { verdict: "valid", version };
  return invalid(`version "${version ?? "none"}" answered, expected ${versions.join(" or ")}`);
}

function invalid(reason: string): AnswerCheck {
  return { verdict: "invalid", reason };
}
