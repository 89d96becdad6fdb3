import type { Clock } from "../../core/clock.ts";
import type { Event } from "../../core/events.ts";

/** Where text goes; the part of a writable stream that is needed. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

/** Shows the events of a command while it runs. */
export interface Renderer {
  event(event: Event): void;
  /** Takes the live view away while the user is asked something or another program has the terminal. */
  suspend(): void;
  resume(): void;
  /** Leaves what was shown in place and gives the terminal back. */
  stop(): void;
}

export interface RendererOptions {
  readonly json: boolean;
  readonly output: "query" | "long";
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly stdout: Output;
  readonly stderr: Output;
}

/** NDJSON, a live view or plain lines, by what was asked for and what the streams are. */
export async function createRenderer(options: RendererOptions): Promise<Renderer> {
  if (options.json) {
    const { ndjsonRenderer } = await import("./ndjson.ts");
    return ndjsonRenderer(options);
  }
  if (isLive(options.stderr, options.env)) {
    const { terminalRenderer } = await import("./terminal.ts");
    return terminalRenderer(options);
  }
  const { plainRenderer } = await import("./plain.ts");
  return plainRenderer(options);
}

/** Whether a stream is a terminal that can redraw lines; one without a width (some containers' pseudo-terminals) cannot. */
export function isLive(stream: Output, env: RendererOptions["env"]): boolean {
  return stream.isTTY === true && stream.columns !== 0 && (env.CI ?? "") === "" && env.TERM !== "dumb";
}
