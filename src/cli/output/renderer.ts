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
