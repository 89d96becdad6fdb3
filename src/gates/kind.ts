import type { z } from "zod";
import type { ConfigProblem } from "../config/parts/problem.ts";
import type { Call, GateVerdict } from "../core/calls.ts";
import type { Fields } from "../core/fields.ts";
import type { GateBase } from "../core/gates.ts";
import type { RouterName } from "../core/model.ts";
import type { GateIo, GateSubject, KnownPods } from "./io.ts";

/** What a gate looks with: the world, and what gates remember over all phases of a rollout. */
export interface Looking {
  readonly io: GateIo;
  readonly pods: {
    readonly known: KnownPods;
    readonly know: (pods: KnownPods) => void;
  };
}

/** What the rules of a kind need of the rest of a configuration. */
export interface GateAround {
  /** The whole configuration, unchecked. */
  readonly input: object;
  /** Whether the router can lead a request to a release that clients do not get yet. @default no router is known */
  readonly preview?: {
    readonly router: RouterName;
    readonly able: boolean;
    readonly others: readonly RouterName[];
  };
}

/** A kind of gate that has been resolved: how it looks at a release. */
export interface GateKind<Settings extends object> {
  /** One look. Throws only what is no verdict, such as an abort. */
  readonly look: (
    looking: Looking,
    gate: GateBase & Settings,
    subject: GateSubject,
    signal: AbortSignal,
  ) => Promise<GateVerdict>;
  /** What it will call, so that this can be checked before a rollout begins. @default nothing */
  readonly call?: (settings: Settings) => Call;
}

/** A kind that a configuration chooses by a key of its own. */
export interface ConfigurableGate<Form extends object, Settings extends object> extends GateKind<Settings> {
  readonly key: keyof Form & string;
  /** The key, and those that belong to it; tied to `Form`. */
  readonly schema: z.ZodObject;
  /** Seconds for one look, where nothing is said. */
  readonly timeout: number;
  readonly settings: (form: Form, timeoutMs: number) => Settings;
  /** What the schema alone cannot say, of a gate that has the key. Paths begin at the gate. @default nothing */
  readonly problems?: (gate: Fields, around: GateAround) => readonly ConfigProblem[];
}
