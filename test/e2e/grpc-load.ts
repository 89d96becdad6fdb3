import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import { messageOf } from "../../src/core/errors.ts";
import { encodeFields, readField } from "../../src/rollout/proof/grpc-message.ts";

const inferPath = "/inference.GRPCInferenceService/ModelInfer";

/** `ModelInfer` with one row of two numbers: https://github.com/kserve/open-inference-protocol */
function inferRequest(id: string, row: readonly [number, number]): Buffer {
  const numbers = Buffer.alloc(16);
  numbers.writeDoubleLE(row[0], 0);
  numbers.writeDoubleLE(row[1], 8);
  const tensor = Buffer.concat([
    encodeFields({ "1": "predict", "2": "FP64" }),
    Buffer.from([0x1a, 2, 1, 2, 0x2a, 18, 0x3a, 16]),
    numbers,
  ]);
  return Buffer.concat([encodeFields({ "1": "demo", "3": id }), Buffer.from([0x2a, tensor.length]), tensor]);
}

export interface GrpcReport {
  readonly calls: number;
  readonly failures: readonly string[];
  /** Answers by the version of the model that gave them. */
  readonly versions: Readonly<Record<string, number>>;
  readonly slowest: number;
}

export interface GrpcLoadOptions {
  /** Where the ingress listens, on loopback. */
  readonly url: string;
  readonly host: string;
  readonly ratePerSecond: number;
  /** It stops by itself. */
  readonly maximumMs: number;
}

/**
 * Constant load of inference calls, as clients make them: on a few channels that stay open, every tenth on a channel of its own, every
 * tenth for two seconds. An answer that isn't the one to its request is a failure.
 */
export class GrpcLoad {
  readonly #options: GrpcLoadOptions;
  readonly #address: string;
  readonly #kept: readonly Client[];
  readonly #inFlight = new Set<Promise<void>>();
  readonly #failures: string[] = [];
  readonly #versions: Record<string, number> = {};
  readonly #startedAt = performance.now();
  readonly #timer: NodeJS.Timeout;
  #calls = 0;
  #slowest = 0;

  constructor(options: GrpcLoadOptions) {
    const { hostname, port } = new URL(options.url);
    if (hostname !== "127.0.0.1") throw new Error(`${options.url} is not on loopback.`);
    this.#options = options;
    this.#address = `${hostname}:${port}`;
    this.#kept = Array.from({ length: 3 }, () => this.#open());
    this.#timer = setInterval(() => this.#sendWhatIsDue(), 5);
  }

  #open(): Client {
    return new Client(this.#address, credentials.createInsecure(), {
      "grpc.default_authority": this.#options.host,
      // Channels with the same settings would share one connection.
      "grpc.use_local_subchannel_pool": 1,
    });
  }

  #sendWhatIsDue(): void {
    const elapsed = performance.now() - this.#startedAt;
    if (elapsed > this.#options.maximumMs) {
      clearInterval(this.#timer);
      return;
    }
    while ((this.#calls * 1000) / this.#options.ratePerSecond <= elapsed) {
      const index = this.#calls++;
      const sent = this.#send(index).finally(() => this.#inFlight.delete(sent));
      this.#inFlight.add(sent);
    }
  }

  async #send(index: number): Promise<void> {
    const kept = index % 10 === 7 ? undefined : this.#kept[index % this.#kept.length];
    const client = kept ?? this.#open();
    const metadata = new Metadata();
    if (index % 10 === 3) metadata.set("x-sleep-ms", "2000");
    const id = `call-${index}`;
    const from = performance.now();
    try {
      const answer = await call(client, inferRequest(id, [1, 2]), metadata);
      this.#slowest = Math.max(this.#slowest, performance.now() - from);
      const version = readField(answer, "2") ?? "none";
      // The model's result: bias + slope * (1 + 2 / 2).
      const expected = Number(version) + 2 * (0.5 + Number(version) / 10);
      const result = answer.readDoubleLE(answer.length - 8);
      if (readField(answer, "3") !== id || Math.abs(result - expected) > 1e-9)
        this.#failures.push(`${id}: version ${version} answered ${result} to ${readField(answer, "3")}`);
      else this.#versions[version] = (this.#versions[version] ?? 0) + 1;
    } catch (error) {
      const at = Math.round(performance.now() - this.#startedAt);
      this.#failures.push(`${id} at ${at} ms: ${messageOf(error)}`);
    } finally {
      if (kept === undefined) client.close();
    }
  }

  snapshot(): GrpcReport {
    return {
      calls: this.#calls,
      failures: this.#failures,
      versions: { ...this.#versions },
      slowest: this.#slowest,
    };
  }

  /** Starts no more calls, and waits for the answers of those that were made. */
  async stop(): Promise<GrpcReport> {
    clearInterval(this.#timer);
    await Promise.all(this.#inFlight);
    for (const client of this.#kept) client.close();
    return this.snapshot();
  }
}

function call(client: Client, message: Buffer, metadata: Metadata): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      inferPath,
      (own: Buffer) => own,
      (own: Buffer) => own,
      message,
      metadata,
      { deadline: Date.now() + 30_000 },
      (error: ServiceError | null, answer?: Buffer) => {
        if (error !== null) reject(error);
        else if (answer === undefined) reject(new Error("no answer"));
        else resolve(answer);
      },
    );
  });
}
