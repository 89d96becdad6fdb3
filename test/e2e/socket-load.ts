import { Agent, WebSocket } from "undici";
import { isLoopback } from "../../demo/load.ts";
import { checkMessages } from "./mixed-traffic.ts";

export interface SocketLoadOptions {
  /** Where the ingress listens, on loopback. */
  readonly url: string;
  readonly host: string;
  readonly versions: readonly string[];
  /** A WebSocket is opened every so many milliseconds. */
  readonly everyMs: number;
  /** How many are opened in all at the most. @default 200 */
  readonly most?: number;
  /** How long the server goes on sending on each, seconds. */
  readonly seconds: number;
  /** Ends it at once; WebSockets that are open are not counted. */
  readonly signal: AbortSignal;
}

export interface SocketReport {
  /** WebSockets that brought all their messages and were closed in good order, by the version that sent them. */
  readonly whole: Readonly<Record<string, number>>;
  readonly failures: readonly string[];
  /** WebSockets that have brought a message and are not closed. */
  readonly open: number;
}

/** Opens WebSockets one after the other, each of which stays open for its time. One that is cut off has failed. */
export class SocketLoad {
  readonly #options: SocketLoadOptions;
  readonly #agent: Agent;
  readonly #timer: NodeJS.Timeout;
  readonly #startedAt = performance.now();
  readonly #whole: Record<string, number> = {};
  readonly #failures: string[] = [];
  #opened = 0;
  #open = 0;

  constructor(options: SocketLoadOptions) {
    if (!isLoopback(options.url)) throw new Error(`${options.url} is not on loopback.`);
    this.#options = options;
    const { hostname } = new URL(options.url);
    this.#agent = new Agent({
      connect: { lookup: (_name, _options, found) => found(null, [{ address: hostname, family: 4 }]) },
    });
    this.#timer = setInterval(() => this.#openOne(), options.everyMs);
    options.signal.addEventListener("abort", () => this.#end(), { once: true });
    this.#openOne();
  }

  snapshot(): SocketReport {
    return { whole: { ...this.#whole }, failures: [...this.#failures], open: this.#open };
  }

  #end(): void {
    clearInterval(this.#timer);
    void this.#agent.destroy();
  }

  #openOne(): void {
    const { host, versions, seconds, signal, url, most = 200 } = this.#options;
    if (++this.#opened >= most) clearInterval(this.#timer);
    const name = `WebSocket ${this.#opened}, opened at ${Math.round(performance.now() - this.#startedAt)} ms`;
    const address = `ws://${host}:${new URL(url).port}/socket?seconds=${seconds}`;
    const socket = new WebSocket(address, { dispatcher: this.#agent });
    const messages: string[] = [];
    socket.addEventListener("message", ({ data }) => {
      if (messages.push(String(data)) === 1) this.#open += 1;
    });
    socket.addEventListener("close", ({ code, reason }) => {
      if (messages.length > 0) this.#open -= 1;
      if (signal.aborted) return;
      const check = checkMessages(messages, versions);
      if (code !== 1000) {
        const at = Math.round(performance.now() - this.#startedAt);
        this.#failures.push(
          `${name}: closed with ${code} ${reason} at ${at} ms, after ${messages.length} messages`,
        );
      } else if (check.verdict === "invalid") this.#failures.push(`${name}: ${check.reason}`);
      else this.#whole[check.version] = (this.#whole[check.version] ?? 0) + 1;
    });
  }
}
