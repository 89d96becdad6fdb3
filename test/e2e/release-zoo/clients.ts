import { Pool } from "undici";
import { randomFrom } from "../rollout-driver.ts";
import { type Digit, kindAt, type Mix, requestOf, wrongWith } from "./requests.ts";

export interface ClientsOptions {
  readonly url: string;
  readonly host: string;
  /** Requests a second in the mean. They come when they come: the time between two is exponential. */
  readonly rate: number;
  readonly mix: Mix;
  readonly digits: readonly Digit[];
  readonly seed: number;
}

/** What clients got from one version. */
export interface FromVersion {
  readonly requests: number;
  /** Answers to requests that no version understands. */
  readonly refused: number;
  /** What was wrong with others, each once. */
  readonly wrong: readonly string[];
}

export interface Seen {
  readonly requests: number;
  readonly versions: Readonly<Record<string, FromVersion>>;
  /** Answers without a version, and none. */
  readonly nobody: readonly string[];
}

interface Count {
  requests: number;
  refused: number;
  readonly wrong: string[];
}

const nobody = "";
const patienceMs = 30_000;

/** Clients of the zoo, who send whether or not those before them have been answered. */
export class ZooClients {
  readonly #options: ClientsOptions;
  readonly #pool: Pool;
  readonly #random: () => number;
  readonly #counts = new Map<string, Count>();
  readonly #underWay = new Set<Promise<void>>();
  readonly #startedAt = performance.now();
  #dueMs = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: ClientsOptions) {
    this.#options = options;
    this.#pool = new Pool(options.url, { pipelining: 1 });
    this.#random = randomFrom(options.seed);
    this.#tick();
  }

  /** Nobody comes any more; those who have come are answered. */
  async stop(): Promise<Seen> {
    clearTimeout(this.#timer);
    await Promise.all(this.#underWay);
    await this.#pool.destroy();
    const all = [...this.#counts];
    return {
      requests: all.reduce((sum, [, { requests }]) => sum + requests, 0),
      versions: Object.fromEntries(all.filter(([version]) => version !== nobody)),
      nobody: this.#counts.get(nobody)?.wrong ?? [],
    };
  }

  #tick(): void {
    const now = performance.now() - this.#startedAt;
    while (this.#dueMs <= now) {
      const sent: Promise<void> = this.#send().finally(() => this.#underWay.delete(sent));
      this.#underWay.add(sent);
      this.#dueMs += (-Math.log(1 - this.#random()) * 1000) / this.#options.rate;
    }
    this.#timer = setTimeout(() => this.#tick(), this.#dueMs - now);
  }

  async #send(): Promise<void> {
    const { mix, digits, host } = this.#options;
    const kind = kindAt(mix, this.#random());
    const from = Math.floor(this.#random() * (digits.length - 16));
    const { path, body } = requestOf(kind, digits.slice(from, from + 16));
    const note = (version: string, wrong: string | undefined) => {
      const count = this.#counts.get(version) ?? { requests: 0, refused: 0, wrong: [] };
      this.#counts.set(version, count);
      count.requests += 1;
      if (wrong !== undefined) count.wrong.push(`${kind}: ${wrong}`);
      else if (kind === "broken") count.refused += 1;
    };
    let version = nobody;
    try {
      const answer = await this.#pool.request({
        method: "POST",
        path,
        headers: { "content-type": "application/json", host },
        body,
        signal: AbortSignal.timeout(patienceMs),
      });
      const named = answer.headers["x-model-version"];
      if (typeof named === "string") version = named;
      const text = await answer.body.text();
      note(
        version,
        wrongWith(kind, answer.statusCode, text) ?? (version === nobody ? "no version" : undefined),
      );
    } catch (error) {
      note(version, error instanceof Error ? error.message : String(error));
    }
  }
}
