import { z } from "zod";
import type { ConfigProblem } from "../config/parts/problem.ts";
import type { Call, GateVerdict } from "../core/calls.ts";
import { type Fields, isFields } from "../core/fields.ts";
import type { GateBase, GatePhase } from "../core/gates.ts";
import type { RouterName } from "../core/router-names.ts";
import type { GateIo, GateSubject } from "./io.ts";
import {
  alphaOfGate,
  keptAfter,
  lossInWords,
  rememberedOf,
  withAlphaLeft,
  withLoss,
} from "./lost-evidence.ts";

/** What a gate that judges by statistics takes of the release's alpha. */
export const weightKey = z
  .number()
  .positive()
  .optional()
  .describe("Its part of rollout.alpha, beside those of other gates that judge by statistics. Default: 1");

/** What a gate looks with: the world, and what it remembers over all phases of a rollout. */
export interface Looking {
  readonly io: GateIo;
  /** As the record of the rollout has it; `undefined`: nothing yet. */
  readonly memory: unknown;
}

/** What a look came to. */
export interface Looked {
  readonly said: GateVerdict;
  /** Plain JSON, for the record of the rollout: a command that was killed goes on with the same evidence. `undefined`: nothing to remember. */
  readonly memory: unknown;
}

/** What a kind of gate remembers over all phases, and over all commands that work on a rollout. */
export interface Remembering<Settings, Memory> {
  /** Before the first look. */
  readonly nothing: Memory;
  /** What the record may hold. Anything else is lost. */
  readonly schema: z.ZodType<Memory>;
  /** What the evidence is about, where that may change with the configuration: of another question nothing is known yet. @default it never does */
  readonly question?: (settings: Settings) => string;
}

/** How a kind of gate comes to its verdict: it observes, and judges what it saw by what it remembers. */
export interface GateRules<Settings extends object, Sample, Memory> {
  readonly remembers: Remembering<GateBase & Settings, Memory>;
  /** Observes, once. Throws only what is no verdict, such as an abort. */
  readonly ask: (
    asking: { readonly io: GateIo; readonly memory: Memory },
    gate: GateBase & Settings,
    subject: GateSubject,
    signal: AbortSignal,
  ) => Promise<Sample>;
  /** Pure. */
  readonly judge: (
    memory: Memory,
    sample: Sample,
    gate: GateBase & Settings,
    subject: GateSubject,
  ) => { readonly verdict: GateVerdict; readonly memory: Memory };
}

/**
 * One look by such rules, with a memory from a record. Where it is of another version or another question, a gate that judges by statistics says so,
 * and its evidence begins anew with half of its alpha.
 */
export function lookBy<Settings extends object, Sample, Memory>({
  remembers,
  ask,
  judge,
}: GateRules<Settings, Sample, Memory>): GateKind<Settings>["look"] {
  return async ({ io, memory: kept }, whole, subject, signal) => {
    const alpha = alphaOfGate(whole);
    const question = remembers.question?.(whole);
    const isOther = (memory: unknown) =>
      isFields(memory) && memory.question !== undefined && memory.question !== question;
    const isReadable = (memory: unknown) => remembers.schema.safeParse(memory).success && !isOther(memory);
    const { lost, memory: since, isNew } = rememberedOf(kept, isReadable);
    if (isNew && alpha !== undefined) {
      const evidence = `what it had seen before cannot be read any more, so that it begins anew with less alpha; ${lossInWords(lost, alpha)}`;
      return { said: { verdict: "inconclusive", evidence }, memory: keptAfter(lost, remembers.nothing) };
    }
    const gate = withAlphaLeft(whole, lost);
    const read = remembers.schema.safeParse(since);
    const memory = read.success ? read.data : remembers.nothing;
    const sample = await ask({ io, memory }, gate, subject, signal);
    const { verdict, memory: next } = judge(memory, sample, gate, subject);
    const isAsked = (seen: unknown): seen is Fields => question !== undefined && isFields(seen);
    return {
      said: withLoss(verdict, lost, alpha),
      memory: alpha === undefined ? next : keptAfter(lost, isAsked(next) ? { ...next, question } : next),
    };
  };
}

/** Rules of a kind for which each look stands by itself: what was seen is its verdict. */
export function lookWithoutMemory<Settings extends object>(
  ask: (
    io: GateIo,
    gate: GateBase & Settings,
    subject: GateSubject,
    signal: AbortSignal,
  ) => Promise<GateVerdict>,
): GateKind<Settings>["look"] {
  return lookBy({
    remembers: { nothing: undefined, schema: z.undefined() },
    ask: ({ io }, gate, subject, signal) => ask(io, gate, subject, signal),
    judge: (memory, verdict) => ({ memory, verdict }),
  });
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
  ) => Promise<Looked>;
  /** What it will call, so that this can be checked before a rollout begins. @default nothing */
  readonly call?: (settings: Settings) => Call;
  /**
   * Makes sure of what it needs of this machine before a rollout begins. `folder`: of the configuration file. Throws UserError.
   * @default nothing is needed
   */
  readonly require?: (settings: Settings, folder: string) => Promise<void>;
}

/** A kind that a configuration chooses by a key of its own. */
export interface ConfigurableGate<Form extends object, Settings extends object> extends GateKind<Settings> {
  readonly key: keyof Form & string;
  /** The key, and those that belong to it; tied to `Form`. */
  readonly schema: z.ZodObject;
  /** The only phases in which it sees anything. @default all */
  readonly phases?: readonly GatePhase[];
  /** Seconds for one look, where nothing is said. */
  readonly timeout: number;
  /** Seconds from the end of a look to the next one, where nothing is said. @default that of all gates */
  readonly every?: number;
  readonly settings: (form: Form, timeoutMs: number) => Settings;
  /**
   * It sends a good release back with a chance of `alpha`, a key of its settings: its part of the release's, by weight; without a weight it sends
   * none back. `needsSteps`: it sees nothing in one jump. @default it judges without chance
   */
  readonly statistical?: {
    readonly weightOf: (settings: Settings) => number | undefined;
    readonly needsSteps: boolean;
  };
  /** What the schema alone cannot say, of a gate that has the key. Paths begin at the gate. @default nothing */
  readonly problems?: (gate: Fields, around: GateAround) => readonly ConfigProblem[];
}
