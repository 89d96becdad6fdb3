import { ServerCredentials } from "@grpc/grpc-js";
import { type Clock, systemClock } from "../core/clock.ts";
import type { EventSink } from "../core/events.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";
import { makeServer } from "./server.ts";

export interface ServeOptions {
  /** The cluster of providers that name none in their arguments. */
  readonly kubeconfig: KubeconfigSource;
  /** Aborts all waits; the server itself ends with `close`. */
  readonly signal: AbortSignal;
  readonly events?: EventSink;
  readonly clock?: Clock;
  /** When the run began that was killed before this one, milliseconds since the Unix epoch. @default none was */
  readonly killedSince?: () => number | undefined;
}

export interface ServedProvider {
  /** For `PULUMI_DEBUG_PROVIDERS=kubernetes:PORT`. */
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves the embedded `kubernetes` provider on a random port of the loopback interface, for the life of one command.
 * Nothing but the address protects this channel, since the engine sends no credentials.
 */
export async function serveKubernetesProvider(options: ServeOptions): Promise<ServedProvider> {
  const { server, close } = makeServer(
    {
      ambient: options.kubeconfig,
      // The library behind it is slow to load, and many operations need no cluster.
      connect: async (source) => (await import("../kubernetes/connect.ts")).connect(source),
      clock: options.clock ?? systemClock,
      environment: process.env,
      signal: options.signal,
      ...(options.killedSince === undefined ? {} : { killedSince: options.killedSince }),
    },
    options.events,
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return {
    port,
    close: async () => {
      close();
      // Answers under way get a moment; a connection that stays open must not keep the command alive.
      await Promise.race([
        new Promise<void>((resolve) => server.tryShutdown(() => resolve())),
        new Promise<void>((resolve) => setTimeout(resolve, 1000).unref()),
      ]);
      server.forceShutdown();
    },
  };
}
