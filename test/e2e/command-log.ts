import type { ChildProcess } from "node:child_process";

interface Entry {
  readonly args: readonly string[];
  readonly startedAt: number;
  endedAt: number | undefined;
  readonly said: { readonly at: number; readonly line: string }[];
}

/** Which commands ran when, and what they said: what was going on when a request failed. */
export class CommandLog {
  readonly #entries: Entry[] = [];

  begin(args: readonly string[]): { follow(child: ChildProcess): void; end(): void } {
    const entry: Entry = { args, startedAt: Date.now(), endedAt: undefined, said: [] };
    this.#entries.push(entry);
    return {
      follow: (child) => {
        child.stdout?.on("data", (text: string) => {
          for (const line of text.split("\n")) {
            const what = /"id":"[^"]*".*"state":"[^"]*"/.exec(line)?.[0];
            if (what !== undefined) entry.said.push({ at: Date.now(), line: what.slice(0, 200) });
          }
        });
      },
      end: () => {
        entry.endedAt = Date.now();
      },
    };
  }

  /** What ran at a moment, in milliseconds since the Unix epoch, and the last that each had said. */
  at(moment: number): string[] {
    const running = this.#entries.filter(
      ({ startedAt, endedAt }) => startedAt <= moment && moment <= (endedAt ?? Number.POSITIVE_INFINITY),
    );
    if (running.length === 0) {
      const before = this.#entries.findLast(({ endedAt }) => endedAt !== undefined && endedAt < moment);
      return before?.endedAt === undefined
        ? ["no command had run"]
        : [`${moment - before.endedAt} ms after the end of \`${before.args.join(" ")}\``];
    }
    return running.map(({ args, said }) => {
      const last = said.findLast(({ at }) => at <= moment);
      return `\`${args.join(" ")}\`${last === undefined ? "" : `, ${moment - last.at} ms after ${last.line}`}`;
    });
  }
}
