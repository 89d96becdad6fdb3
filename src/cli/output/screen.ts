import type { Clock } from "../../core/clock.ts";
import { printable } from "../../core/printable.ts";
import { isLive } from "./create-renderer.ts";
import type { Output } from "./renderer.ts";

/** Where a command shows its answer while it goes on. */
export interface Screen {
  /** In place of what was shown before, on a terminal; elsewhere only what is new, after the time. */
  show(lines: readonly string[], isNew: boolean): Promise<void>;
  /** One more line. */
  line(text: string): void;
  /** One more JSON document, on a line of its own. */
  document(data: Readonly<Record<string, unknown>>): void;
  /** Leaves what was shown last in place. */
  leave(): void;
}

export function screenOn(
  stdout: Output,
  env: Readonly<Record<string, string | undefined>>,
  clock: Clock,
): Screen {
  let update: ReturnType<typeof import("log-update").createLogUpdate> | undefined;
  const time = () => new Date(clock.now()).toISOString().replace(/\.\d+Z$/, "Z");
  return {
    show: async (lines, isNew) => {
      const text = lines.map(printable);
      if (!isLive(stdout, env)) {
        if (isNew) stdout.write(`${[time(), ...text, ""].join("\n")}\n`);
        return;
      }
      // Few commands need it: the others start without loading it.
      update ??= (await import("log-update")).createLogUpdate(stdout as NodeJS.WritableStream);
      const room = Math.max(3, (stdout.rows ?? 24) - 2);
      update([...text.slice(0, room), `Seen at ${time()}; Ctrl-C ends it.`].join("\n"));
    },
    line: (text) => stdout.write(`${printable(text)}\n`),
    document: (data) => stdout.write(`${JSON.stringify({ schemaVersion: 1, ...data })}\n`),
    leave: () => update?.done(),
  };
}
