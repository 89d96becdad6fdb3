import { request } from "undici";
import type { ModelProject } from "../test/e2e/model-project.ts";

/** Asks on fresh connections, one after the other, who answers; notes when the last answer of the old version came. */
class Watcher {
  readonly #url: string;
  readonly #host: string;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;
  #lastOf: Record<string, number> = {};

  constructor(url: string, host: string) {
    this.#url = url;
    this.#host = host;
    this.#done = this.#watch();
  }

  async stop(): Promise<Record<string, number>> {
    this.#stop.abort();
    await this.#done;
    return this.#lastOf;
  }

  async #watch(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const answer = await request(`${this.#url}/v2/models/demo`, {
        headers: { host: this.#host, connection: "close" },
      });
      const mark = String(answer.headers["x-model-version"]);
      await answer.body.dump();
      this.#lastOf = { ...this.#lastOf, [mark]: performance.now() };
    }
  }
}

export interface Watched {
  readonly url: string;
  readonly host: string;
  /** The version that is to fall silent. */
  readonly old: string;
}

/** When the last answer of the old version came, milliseconds since 1970; `undefined`: none came while it was watched. */
export async function lastOldAnswer(
  { url, host, old }: Watched,
  change: () => Promise<unknown>,
): Promise<number | undefined> {
  const watcher = new Watcher(url, host);
  try {
    await change();
  } catch (error) {
    await watcher.stop();
    throw error;
  }
  // The floor's patch returns before the controller has seen it: go on until the old version has been silent for a second.
  await new Promise((resolve) => setTimeout(resolve, 1000));
  const last = (await watcher.stop())[old];
  return last === undefined ? undefined : performance.timeOrigin + last;
}

/** Time from the start of `change` until the last answer of the old version, milliseconds. */
export async function untilLastOldAnswer(
  { host }: Pick<ModelProject, "host">,
  old: string,
  change: () => Promise<unknown>,
): Promise<number> {
  const startedAt = performance.timeOrigin + performance.now();
  const url = process.env.MODELSWITCH_TEST_INGRESS_URL ?? "";
  const last = await lastOldAnswer({ url, host, old }, change);
  return last === undefined ? 0 : Math.max(0, last - startedAt);
}
