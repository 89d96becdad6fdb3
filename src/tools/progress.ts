import { readFile, rm, writeFile } from "node:fs/promises";
import * as z from "zod";
import type { Clock } from "../core/clock.ts";
import type { Progress } from "./source.ts";

type Update = Parameters<Progress>[0];

const updateSchema = z.object({
  detail: z.string().optional(),
  progress: z.object({ done: z.number(), total: z.number(), unit: z.string() }).optional(),
  remainingMs: z.number().optional(),
});

/** Passes on what is new, and of a mere count that goes up only four a second. */
export function throttled(progress: Progress, clock: Pick<Clock, "now">, everyMs = 250): Progress {
  let last: Update = {};
  let next = 0;
  return (update) => {
    const { detail, progress: count } = update;
    const now = clock.now();
    const sameCount = count?.done === last.progress?.done && count?.total === last.progress?.total;
    if (detail === last.detail && sameCount && update.remainingMs === last.remainingMs) return;
    const complete = count !== undefined && count.done >= count.total;
    if (detail === last.detail && now < next && !complete) return;
    last = update;
    next = now + everyMs;
    progress(update);
  };
}

/** Where the holder of a lock leaves its progress for those who wait. */
export class SharedProgress {
  readonly #path: string;
  #writing: Promise<void> = Promise.resolve();

  constructor(lockPath: string) {
    this.#path = `${lockPath}.progress`;
  }

  write(update: Update): void {
    // One after the other; what can't be written is only shown a little later.
    this.#writing = this.#writing
      .then(() => writeFile(this.#path, JSON.stringify(update)))
      .catch(() => undefined);
  }

  async read(): Promise<Update> {
    try {
      const { detail, progress, remainingMs } = updateSchema.parse(
        JSON.parse(await readFile(this.#path, "utf8")),
      );
      return {
        ...(detail === undefined ? {} : { detail }),
        ...(progress === undefined ? {} : { progress }),
        ...(remainingMs === undefined ? {} : { remainingMs }),
      };
    } catch {
      return {};
    }
  }

  async remove(): Promise<void> {
    await this.#writing;
    await rm(this.#path, { force: true });
  }
}
