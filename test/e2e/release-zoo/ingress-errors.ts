import { request } from "undici";
import type { ModelProject } from "../model-project.ts";

/** Answers with 5xx that the ingress has counted for each slot: also those that no model gave. */
export interface IngressErrors {
  readonly live: number;
  readonly other: number;
}

/**
 * Counts them as the controller of the local cluster does, from `watch` to `stop`.
 * Looks again and again: the controller forgets what it counted for a slot that nothing routes to any more.
 */
export class IngressErrorWatch {
  readonly #url: string;
  readonly #namespace: string;
  readonly #live: "blue" | "green";
  #before: ReadonlyMap<string, number>;
  #counted: IngressErrors = { live: 0, other: 0 };
  #stopped = false;
  #looking: Promise<void> = Promise.resolve();

  private constructor(url: string, namespace: string, live: "blue" | "green") {
    this.#url = url;
    this.#namespace = namespace;
    this.#live = live;
    this.#before = new Map();
  }

  /** `live`: the slot of which clients' share is looked at. */
  static async watch(project: ModelProject, live: "blue" | "green"): Promise<IngressErrorWatch> {
    const url = new URL(project.ingressUrl);
    // Two thousand above the port of the traffic.
    const metrics = `http://${url.hostname}:${Number(url.port) + 2000}/metrics`;
    const watch = new IngressErrorWatch(metrics, project.namespace.name, live);
    watch.#before = await watch.#read();
    watch.#looking = watch.#untilStopped();
    // A look that fails is told by `stop`.
    watch.#looking.catch(() => {});
    return watch;
  }

  async stop(): Promise<IngressErrors> {
    this.#stopped = true;
    await this.#looking;
    await this.#count();
    return this.#counted;
  }

  async #untilStopped(): Promise<void> {
    while (!this.#stopped) {
      await this.#count();
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  async #count(): Promise<void> {
    const now = await this.#read();
    let { live, other } = this.#counted;
    for (const [series, value] of now) {
      const before = this.#before.get(series) ?? 0;
      // Less than before: forgotten, and counted anew.
      const more = value < before ? value : value - before;
      // A canary is called after the main Service: until clients are moved for good it is the other slot's.
      if (series.includes(`-${this.#live}-80@`)) live += more;
      else other += more;
    }
    this.#before = now;
    this.#counted = { live, other };
  }

  async #read(): Promise<ReadonlyMap<string, number>> {
    const answer = await request(this.#url);
    const text = await answer.body.text();
    return new Map(
      text
        .split("\n")
        .filter(
          (line) =>
            line.startsWith("traefik_service_requests_total{") &&
            line.includes(this.#namespace) &&
            /code="5\d\d"/.test(line),
        )
        .map((line) => {
          const end = line.lastIndexOf(" ");
          return [line.slice(0, end), Number(line.slice(end))];
        }),
    );
  }
}
