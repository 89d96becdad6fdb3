import type { GateName } from "./gates.ts";
import { type Mix, usualMix } from "./requests.ts";

/** What makes sure that a kind ends as it should: with what chance, the test computes. */
export type Sight =
  /** A gate that asks the same every time: one miss is enough. */
  | { readonly by: "certainty" }
  /** Pairs of answers, of which this share is against the release in so many inputs. */
  | { readonly by: "pairs"; readonly gate: GateName; readonly against: number; readonly inputs: number }
  /** How predictions are distributed, over so many inputs. */
  | { readonly by: "bins"; readonly gate: "spread"; readonly inputs: number }
  /** Shares of the requests of both slots, as the product's plan judges them. */
  | {
      readonly by: "shares";
      readonly gate: "clients" | "speed";
      readonly live: number;
      readonly new: number;
      readonly seconds: number;
    }
  /** So many requests to the release end it. */
  | { readonly by: "count"; readonly requests: number; readonly seconds: number };

export type Ending =
  | { readonly kind: "completes" }
  | {
      readonly kind: "sent-back";
      readonly phase: "verify" | "shift";
      /** The gate that sends it back. */
      readonly gate: GateName | "pods";
      /** What its evidence says. */
      readonly saying: string;
    };

/** One kind of release, all of it data. */
export interface Kind {
  readonly name: string;
  /** What is wrong with it, or why it is good all the same. */
  readonly what: string;
  /** What the release changes: one image serves them all. */
  readonly env: Readonly<Record<string, string>>;
  readonly gates: readonly GateName[];
  readonly ending: Ending;
  readonly sights: readonly Sight[];
  /** Clients' requests a second. */
  readonly rate: number;
  readonly mix: Mix;
  /** Clients' share of the release, and for how long at least. */
  readonly step: { readonly percent: number; readonly seconds: number };
  /** In the ordinary run; others are in the long one. */
  readonly isOrdinary: boolean;
}

const usual = {
  rate: 120,
  mix: usualMix,
  step: { percent: 50, seconds: 30 },
  isOrdinary: false,
} as const;

const completes = { kind: "completes" } as const;

function sentBack(phase: "verify" | "shift", gate: GateName | "pods", saying: string): Ending {
  return { kind: "sent-back", phase, gate, saying };
}

/** Nobody has errors: clients' share of a good release is shown to be good within the step. */
const clientsPass: Sight = { by: "shares", gate: "clients", live: 0, new: 0, seconds: 30 };

/** Clients that send what no version understands: half a per cent, as every service has them. */
const withErrors = (old: number): Mix => ({ ...usualMix, single: 0.895 - old, broken: 0.005, old });

export const kinds: readonly Kind[] = [
  {
    ...usual,
    name: "label map permuted",
    what: "the file with the names of the classes was sorted by name",
    env: { LABEL_MAP: "by-name" },
    gates: ["ready", "same"],
    ending: sentBack("verify", "same", "other answers than live's"),
    sights: [{ by: "pairs", gate: "same", against: 0.88, inputs: 300 }],
    isOrdinary: true,
  },
  {
    ...usual,
    name: "NaN for rare inputs",
    what: "a picture of one colour has no contrast, and is divided by it",
    env: { CONTRAST: "unguarded" },
    gates: ["ready", "known", "rare"],
    ending: sentBack("verify", "rare", "NaN in place of a number"),
    sights: [{ by: "certainty" }],
    isOrdinary: true,
  },
  {
    ...usual,
    name: "output schema changed",
    what: "an output has another name, and its consumers do not know it",
    env: { SCORES_NAME: "probabilities" },
    gates: ["ready"],
    ending: sentBack("verify", "ready", "no output scores"),
    sights: [{ by: "certainty" }],
    isOrdinary: true,
  },
  {
    ...usual,
    name: "3× slower",
    what: "three questions to the feature store one after the other, where one was enough",
    env: { QUESTIONS: "3" },
    gates: ["ready", "speed"],
    ending: sentBack("verify", "speed", "more answers over"),
    sights: [{ by: "shares", gate: "speed", live: 0.1, new: 0.9, seconds: 60 }],
    isOrdinary: true,
  },
  {
    ...usual,
    name: "errors 0.5 → 5 %",
    what: "the decoder for a datatype that 4.5 % of clients send was left out",
    env: { DATATYPES: "FP64,FP32" },
    gates: ["ready", "known", "clients"],
    ending: sentBack("shift", "clients", "more errors than live"),
    sights: [{ by: "shares", gate: "clients", live: 0.005, new: 0.05, seconds: 60 }],
    mix: withErrors(0.045),
    step: { percent: 50, seconds: 60 },
    isOrdinary: true,
  },
  {
    ...usual,
    name: "identical",
    what: "the same model under another version",
    env: {},
    gates: ["ready", "known", "rare", "same", "clients"],
    ending: completes,
    sights: [{ by: "pairs", gate: "same", against: 0, inputs: 300 }, clientsPass],
    isOrdinary: true,
  },
  {
    ...usual,
    name: "feature order off by one",
    what: "the table of pixels was read with its index, so that each is taken for the next one",
    env: { SKIPPED_COLUMNS: "1" },
    gates: ["ready", "same"],
    ending: sentBack("verify", "same", "other answers than live's"),
    sights: [{ by: "pairs", gate: "same", against: 0.3, inputs: 300 }],
  },
  {
    ...usual,
    name: "worse on one segment only",
    what: "trained without the pictures of boards",
    env: { MODEL: "no-boards" },
    gates: ["ready", "accuracy"],
    ending: sentBack("verify", "accuracy", "wrong where live is right in board"),
    sights: [{ by: "pairs", gate: "accuracy", against: 0.22, inputs: 300 }],
  },
  {
    ...usual,
    name: "drifted predictions",
    what: "whoever labelled the data of this training took sevens for ones",
    env: { MODEL: "sevens-as-ones" },
    gates: ["ready", "spread"],
    ending: sentBack("verify", "spread", "the predictions have drifted"),
    sights: [{ by: "bins", gate: "spread", inputs: 600 }],
  },
  {
    ...usual,
    name: "slow tail only",
    what: "requests of many rows ask the feature store for each row",
    env: { FEATURES_OF: "row" },
    gates: ["ready", "speed"],
    ending: sentBack("verify", "speed", "more answers over"),
    sights: [{ by: "shares", gate: "speed", live: 0.02, new: 0.11, seconds: 180 }],
  },
  {
    ...usual,
    name: "errors only under concurrency",
    what: "the pool of connections to the feature store has eight, and nobody waits for one",
    env: { CONNECTIONS: "8" },
    gates: ["ready", "known", "rare", "clients"],
    ending: sentBack("shift", "clients", "more errors than live"),
    sights: [{ by: "shares", gate: "clients", live: 0, new: 0.1, seconds: 60 }],
    step: { percent: 50, seconds: 60 },
  },
  {
    ...usual,
    name: "memory leak that ends after N requests",
    what: "a cache that is never emptied: the container has 64 MiB, each answer keeps 128 KiB",
    env: { KEPT_KIB: "128" },
    gates: ["ready", "known", "clients"],
    ending: sentBack("shift", "pods", "restarted"),
    sights: [{ by: "count", requests: 512, seconds: 60 }],
    step: { percent: 50, seconds: 60 },
  },
  {
    ...usual,
    name: "streams cut short",
    what: "a time-out of the server for all of an answer, shorter than the longest texts",
    env: { WRITE_TIMEOUT_MS: "1500" },
    gates: ["ready", "words"],
    ending: sentBack("verify", "words", "other answers than live's"),
    sights: [{ by: "pairs", gate: "words", against: 0.5, inputs: 200 }],
  },
  {
    ...usual,
    name: "JSON broken for the consumer",
    what: "the answer is encoded twice: a text where an object was",
    env: { ENCODED: "twice" },
    gates: ["ready", "known", "form"],
    ending: sentBack("verify", "form", "a string instead of an object"),
    sights: [{ by: "certainty" }],
  },
  {
    ...usual,
    name: "cold for 30 s",
    what: "the feature store is ten times as slow until its caches are filled",
    env: { COLD_SECONDS: "30" },
    gates: ["ready", "known", "speed", "clients"],
    ending: completes,
    sights: [clientsPass],
  },
  {
    ...usual,
    name: "numerically noisy but fine",
    what: "sums in 32 bits and in any order: the last digits differ from answer to answer",
    env: { SUM_ORDER: "any" },
    gates: ["ready", "known", "rare", "close", "clients"],
    ending: completes,
    sights: [{ by: "pairs", gate: "close", against: 0, inputs: 250 }, clientsPass],
  },
  {
    ...usual,
    name: "quantised but fine",
    what: "weights of 8 bits",
    env: { PRECISION: "int8" },
    gates: ["ready", "known", "rare", "same", "clients"],
    ending: completes,
    sights: [{ by: "pairs", gate: "same", against: 0.002, inputs: 600 }, clientsPass],
  },
  {
    ...usual,
    name: "better",
    what: "a larger model of more pictures",
    env: { MODEL: "large" },
    gates: ["ready", "known", "rare", "accuracy", "clients"],
    ending: completes,
    sights: [{ by: "pairs", gate: "accuracy", against: 0, inputs: 300 }, clientsPass],
  },
];

/** One that takes long to be seen, in the long run alone. */
export const barelyWorse: Kind = {
  ...usual,
  name: "errors 0.5 → 1.5 %",
  what: "the decoder for a datatype that 1 % of clients send was left out",
  env: { DATATYPES: "FP64,FP32" },
  gates: ["ready", "known", "clients"],
  ending: sentBack("shift", "clients", "more errors than live"),
  sights: [{ by: "shares", gate: "clients", live: 0.005, new: 0.015, seconds: 300 }],
  rate: 200,
  mix: withErrors(0.01),
  step: { percent: 50, seconds: 300 },
};
