import type { Phase, RolloutKind } from "./rollout/state.ts";
import type { TrafficSplit } from "./routing.ts";
import type { Slot } from "./slots.ts";

/** A program or an address that is asked for an opinion, or told what happens. Times in milliseconds. */
export type Call = CommandCall | WebhookCall;

/** A program on the machine where modelswitch runs. No shell is between. */
export interface CommandCall {
  readonly kind: "command";
  /** The program and its arguments. */
  readonly run: readonly [string, ...string[]];
  /** After this its whole process group is killed. */
  readonly timeoutMs: number;
  /** How often it is tried again when it gave no clear answer. */
  readonly retries: number;
}

/** A POST request with JSON, signed where there is a secret. */
export interface WebhookCall {
  readonly kind: "webhook";
  readonly url: string;
  /** Name of the environment variable that has the key of the signature. */
  readonly secretEnv: string | undefined;
  readonly timeoutMs: number;
  /** How often it is tried again after a connection error, a time-out or a 5xx. */
  readonly retries: number;
}

/** Something that is run before or after a phase. */
export interface Hook {
  readonly name: string;
  readonly when: "before" | "after";
  readonly phase: Phase;
  readonly call: Call;
  /** `abort`: unless it passes, the rollout goes back. `continue`: that is only said. */
  readonly onFailure: "abort" | "continue";
}

/** What a gate or a hook says. `hold`: it has not made up its mind, and is to be asked again. */
export const verdicts = ["pass", "fail", "inconclusive", "hold"] as const;
export type Verdict = (typeof verdicts)[number];

/** A verdict with what it rests on. */
export interface GateVerdict {
  readonly verdict: Verdict;
  /** For people: one line, or a few. */
  readonly evidence: string;
  /**
   * For programs and drawings: numbers, examples, series. Plain JSON; `core/evidence/read.ts` says what reports make of which shape.
   * @default nothing but the words
   */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** How the model is reached at one moment, for programs and addresses that ask it themselves. */
export interface CallReach {
  /** Host of the Ingress: what clients send as the Host header, and as the server name of TLS. */
  readonly host: string;
  /** Path of the Ingress. */
  readonly path: string;
  /** Where the ingress is asked, for example `http://203.0.113.7:80`; none where that is not known. */
  readonly addresses: readonly string[];
  /**
   * The header that leads a request to one slot whatever share it has, and its value for each slot that it leads to at that moment.
   * `undefined`: the router has none, and a request goes where those of clients do.
   */
  readonly preview: { readonly header: string; readonly values: Partial<Record<Slot, string>> } | undefined;
  readonly services: Readonly<Record<Slot, { readonly name: string; readonly port: number }>>;
}

/** The rollout that a hook, a gate or a notification is about, at one moment. Nothing in it is secret. */
export interface CallSubject {
  readonly model: string;
  readonly namespace: string;
  /** `undefined`: the configuration declares none. */
  readonly environment: string | undefined;
  readonly kind: RolloutKind;
  /** When the rollout began, ISO 8601; with model and release number it names the rollout. */
  readonly startedAt: string;
  readonly release: number;
  /** Image as it was asked for. */
  readonly image: string | undefined;
  /** `sha256:…`, where it is known. */
  readonly imageDigest: string | undefined;
  /** The slot that the release is put into. */
  readonly slot: Slot;
  readonly direction: "forward" | "back";
  readonly phase: Phase;
  /** In the phase `shift`: which step, from 0. */
  readonly stepIndex: number;
  /** Shares of clients' traffic at that moment, per cent. */
  readonly split: TrafficSplit;
  /** Who works on it, `user@host`. */
  readonly operator: string;
  /** For hooks and gates. @default not told */
  readonly reach?: CallReach;
}

export function isVerdict(value: unknown): value is Verdict {
  return verdicts.some((verdict) => verdict === value);
}
