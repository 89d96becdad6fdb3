import type { CallIo } from "../calls/io.ts";
import type { CallReach, CallSubject } from "../core/calls.ts";
import type { GatePhase } from "../core/gates.ts";
import type { Slot } from "../core/slots.ts";
import type { CountedSlot, OwnSent } from "../core/statistics/counted.ts";
import type { Arrival } from "./protocols/event-stream.ts";

/** A request through the ingress. */
export interface IngressRequest {
  /**
   * `release`: the new release whatever share of the traffic it has. `live`: the slot that clients had before it. `clients`: as clients ask.
   */
  readonly route: "release" | "live" | "clients";
  readonly path: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  /** `undefined`: none. */
  readonly body: string | undefined;
  /** A message: the path is a gRPC method that is called with it. @default a request over HTTP */
  readonly grpc?: Uint8Array | undefined;
  /** Whether any certificate will do, over https. */
  readonly insecure: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface IngressAnswer {
  /** Of a gRPC method, which has codes of its own, the HTTP status that means the same. */
  readonly status: number;
  readonly body: string;
  /** What a gRPC method answered. */
  readonly message?: Uint8Array | undefined;
  /** When parts of the body were there. @default nobody looked */
  readonly arrivals?: readonly Arrival[] | undefined;
  /** More came than is read. @default false */
  readonly truncated?: boolean;
  /** Somebody in front of the release limits how often may be asked, and answered this. @default none */
  readonly limit?: string;
}

/** What came of a request through the ingress. */
export type IngressOutcome =
  | { readonly kind: "answer"; readonly answer: IngressAnswer; readonly latencyMs: number }
  /** The connection stood, but no answer came, or not all of it, or not in time. */
  | { readonly kind: "broken"; readonly why: string }
  /** Nobody can say whose fault that is: the ingress itself was not reached. */
  | { readonly kind: "unreachable"; readonly why: string };

/** One pod of the new release. */
export interface PodSeen {
  /** Its uid. */
  readonly id: string;
  readonly name: string;
  /** A ready endpoint that is not about to end. */
  readonly ready: boolean;
  /** How often its containers were started again. */
  readonly restarts: number;
  /** How a container ended the last time, for example `OOMKilled, exit code 137`. */
  readonly lastEnd: string | undefined;
}

export interface PodsSeen {
  /** Replicas that there should be. */
  readonly desired: number;
  readonly pods: readonly PodSeen[];
}

/** Pods that were seen ready, by uid, and how often the containers of each had been started again by then. */
export type KnownPods = Readonly<Record<string, KnownPod>>;

export interface KnownPod {
  readonly name: string;
  readonly restarts: number;
}

/** Where a replica of the ingress controller shows its metrics. */
export type CounterSource =
  | { readonly kind: "url"; readonly url: string }
  | {
      readonly kind: "pods";
      readonly namespace: string;
      readonly selector: string;
      readonly port: number;
      readonly path: string;
    };

export interface CountersRequest {
  /** `copies`: those that the new slot gets of the live one's requests, in the shadow. @default clients' own requests */
  readonly of?: "copies";
  /** `prometheus`: the one of the configuration. `undefined`: found by itself. */
  readonly sources: readonly CounterSource[] | "prometheus" | undefined;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What clients' requests were counted as by now, all replicas together. */
export type CountersOutcome =
  | {
      readonly kind: "read";
      /** When it was counted. */
      readonly atMs: number;
      /** Who counts, as people know it, and where that is read. */
      readonly controller: string;
      readonly where: string;
      /** A slot without any request yet has zeros. */
      readonly slots: Readonly<Record<Slot, CountedSlot>>;
      /** What this command has sent through the ingress itself. */
      readonly own: Readonly<Record<Slot, OwnSent>>;
      /** Changes with the command that reads, with a proof, and with the controller's replicas. */
      readonly era: string;
      /** An own request is under way. */
      readonly isDisturbed: boolean;
      /** The new slot's share of what is counted, where that is not clients' requests. @default that of clients' requests */
      readonly share?: number;
      /** Whether requests are split by the shares, and not connections or users. */
      readonly isShareChecked: boolean;
      /** Clients stay on the slot that they got: requests of one client are not split by the shares. @default false */
      readonly isPinned?: boolean;
      /** A time-out is counted when it ends: so long nothing passes in a step. */
      readonly longestRequestMs: number;
      /** Of the rollout, in which both slots get traffic. */
      readonly steps: number;
    }
  | { readonly kind: "unreadable"; readonly why: string };

/** What gates work with: passed in, so that tests replace it. */
export interface GateIo {
  readonly calls: CallIo;
  ask(request: IngressRequest): Promise<IngressOutcome>;
  /** How programs and addresses that ask the model themselves reach it. */
  reach(signal: AbortSignal): Promise<CallReach>;
  /** What the ingress controller counts of clients' requests. */
  counters(request: CountersRequest): Promise<CountersOutcome>;
  /** Requests a second that clients send to the live slot; `undefined`: nobody counts them, or not for long enough. @default nobody does */
  clientsRate?(signal: AbortSignal): Promise<number | undefined>;
  /** Gates that ask the live slot at the same time: they share what may be sent there. @default one */
  readonly liveAskers?: number;
  /** The pods of the slot that the release is in. */
  pods(signal: AbortSignal): Promise<PodsSeen>;
}

/** The rollout that a gate judges. */
export type GateSubject = CallSubject & { readonly phase: GatePhase };
