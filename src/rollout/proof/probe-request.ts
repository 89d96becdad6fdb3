import type { IdentityAnswer } from "../../core/identity.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";

export interface ProbeRequest {
  readonly endpoint: Endpoint;
  /** Host that clients use: the Host header, and the server name of TLS. */
  readonly host: string;
  readonly path: string;
  /** A message: the path is a gRPC method that is called with it. @default a GET request over HTTP */
  readonly grpc?: Uint8Array | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** @default GET */
  readonly method?: "GET" | "POST";
  /** @default none */
  readonly body?: string | undefined;
  /** Over https: whether the certificate must be trusted by this machine, and be the host's. @default false */
  readonly verified?: boolean;
  /** Called as parts of the body come, with the bytes that there are by then. @default nobody looks */
  readonly onData?: ((bytes: number) => void) | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Sends one request on a connection of its own. Rejects when no complete answer came; of one that is too large the beginning is enough. */
export type Probe = (request: ProbeRequest) => Promise<IdentityAnswer>;

/** What is read of an answer, bytes. */
export const largestAnswer = 1_000_000;
