import { request } from "node:http";
import type { ModelProject } from "./model-project.ts";
import { until } from "./test-cluster.ts";

const everyMs = 25;
const body = JSON.stringify({ inputs: [{ name: "predict", shape: [1, 2], datatype: "FP64", data: [1, 2] }] });
/** So many in a row, sent one after the other, say that clients are where they should be. */
const enough = 10;

/** The version of the model that answers an inference at the ingress on a connection of its own, or what came instead. */
function ask(host: string, timeoutMs: number): Promise<string> {
  const url = `${process.env.MODELSWITCH_TEST_INGRESS_URL ?? ""}/v2/models/demo/infer`;
  return new Promise((resolve) => {
    const headers = { host, "content-type": "application/json" };
    const asking = request(url, { method: "POST", headers, agent: false, timeout: timeoutMs }, (answer) => {
      answer.resume();
      const version = answer.headers["x-model-version"];
      resolve(answer.statusCode === 200 ? String(version) : `HTTP ${answer.statusCode}`);
    });
    asking.on("timeout", () => asking.destroy(new Error("no answer")));
    asking.on("error", (error) => resolve(error.message));
    asking.end(body);
  });
}

/** What the next clients get, one after the other. */
export async function answers({ host }: ModelProject, count: number): Promise<string[]> {
  const seen: string[] = [];
  for (let index = 0; index < count; index += 1) seen.push(await ask(host, 10_000));
  return seen;
}

interface Asked {
  readonly sentAt: number;
  answer: string | undefined;
}

/** Clients who come forty times a second, whether or not those before them have been answered. */
export class Clients {
  readonly #asked: Asked[] = [];
  readonly #timer: ReturnType<typeof setInterval>;

  constructor({ host }: ModelProject) {
    this.#timer = setInterval(() => {
      const asked: Asked = { sentAt: performance.now(), answer: undefined };
      this.#asked.push(asked);
      void ask(host, 5_000).then((answer) => {
        asked.answer = answer;
      });
    }, everyMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Until the newest that were answered all got this version. */
  async untilOn(version: string, isOver: () => boolean): Promise<void> {
    const from = this.#asked.length;
    await until(`clients get version ${version}`, async () => {
      const answered = this.#asked.slice(from).filter(({ answer }) => answer !== undefined);
      const newest = answered.slice(-enough);
      return isOver() || (newest.length === enough && newest.every(({ answer }) => answer === version));
    });
  }

  /** Milliseconds from `start` until the last request was sent that did not get this version. */
  async lastOther(version: string, start: number): Promise<number> {
    this.stop();
    await until("all are answered", async () => this.#asked.every(({ answer }) => answer !== undefined));
    const others = this.#asked.filter(({ sentAt, answer }) => sentAt >= start && answer !== version);
    return Math.max(0, (others.at(-1)?.sentAt ?? start) - start);
  }
}
