import type { z } from "zod";
import type { Call } from "../core/calls.ts";
import { gateDefaults } from "../core/defaults.ts";
import { type GateBase, type GatePhase, gatePhases } from "../core/gates.ts";
import { sharedOut } from "../core/statistics/alpha.ts";
import { commandGate, webhookGate } from "./call.ts";
import { driftGate } from "./drift.ts";
import { goldenGate } from "./golden.ts";
import type { GateSubject } from "./io.ts";
import type { ConfigurableGate, GateKind, Looked, Looking } from "./kind.ts";
import { labelsGate } from "./labels.ts";
import { parityGate } from "./parity.ts";
import { performanceGate } from "./performance.ts";
import { podsGate } from "./pods.ts";
import { requestGate } from "./request.ts";
import { shadowGate } from "./shadow.ts";
import { smokeGate } from "./smoke.ts";
import { trafficGate } from "./traffic.ts";

/**
 * The kinds of gates. Types, schema, defaults and rules of `rollout.gates`, what is checked before a rollout, and what looks at a release
 * are made of these rows; a kind is its own file and test, its part of docs/gates.md, and its row here.
 */
const kinds = {
  command: commandGate,
  webhook: webhookGate,
  request: requestGate,
  golden: goldenGate,
  smoke: smokeGate,
  parity: parityGate,
  labels: labelsGate,
  performance: performanceGate,
  drift: driftGate,
  shadow: shadowGate,
  traffic: trafficGate,
  pods: podsGate,
} as const;

type Kinds = typeof kinds;

/** A check of a release that goes on while a phase lasts. */
export type Gate = {
  [K in keyof Kinds]: Kinds[K] extends GateKind<infer Settings> ? GateBase & Settings : never;
}[keyof Kinds];

type Forms = {
  [K in keyof Kinds]: Kinds[K] extends ConfigurableGate<infer Form, infer _Settings> ? Form : never;
}[keyof Kinds];
type KeysOf<Form> = Form extends unknown ? keyof Form : never;
type Alone<Form, All extends PropertyKey> = Form extends unknown
  ? Form & { readonly [K in Exclude<All, keyof Form>]?: never }
  : never;

/** The keys by which a configuration says what a gate is: those of one kind, and none of the others. */
export type GateForm = Alone<Forms, KeysOf<Forms>>;

type AnyConfigurable = ConfigurableGate<Record<string, unknown>, object>;

/** Those that a configuration can choose, in the order of the rows. */
export const configurableGates: readonly AnyConfigurable[] = Object.values(kinds).flatMap((kind) =>
  "key" in kind ? [kind as unknown as AnyConfigurable] : [],
);

type ValueOf<Form, K> = Form extends unknown
  ? K extends keyof Form
    ? Exclude<Form[K], undefined>
    : never
  : never;

/** Their keys, all of which may be missing: that a gate has one of them is a rule. */
export const gateShape = Object.assign(
  {},
  ...configurableGates.map(({ schema }) => schema.partial().shape),
) as { readonly [K in KeysOf<Forms>]: z.ZodOptional<z.ZodType<ValueOf<Forms, K>>> };

type SettingsOf<G> = G extends unknown ? Omit<G, keyof GateBase> : never;

/** A gate of a checked configuration, resolved. `timeout`: seconds, as it is written. Pure. */
export function gateSettings(form: GateForm, timeout: number | undefined): SettingsOf<Gate> {
  const given: Readonly<Record<string, unknown>> = { ...form };
  const kind = configurableGates.find(({ key }) => given[key] !== undefined);
  if (kind === undefined) throw new Error("A validated gate has the key of a kind.");
  return kind.settings(given, (timeout ?? kind.timeout) * 1000) as SettingsOf<Gate>;
}

/** The phases in which a gate is looked at that names none. Pure. */
export function phasesOf(form: GateForm): readonly GatePhase[] {
  const given: Readonly<Record<string, unknown>> = { ...form };
  return configurableGates.find(({ key }) => given[key] !== undefined)?.phases ?? gatePhases;
}

/**
 * Gates with their parts of the release's alpha: those that judge by statistics, and can fail in a rollout with or without steps, share it by
 * weight. Pure.
 */
export function withAlpha(gates: readonly Gate[], alpha: number, hasSteps: boolean): Gate[] {
  const weights = Object.fromEntries(
    gates.flatMap((gate): [string, number][] => {
      const { statistical } = kinds[gate.kind] as Partial<ConfigurableGate<Record<string, unknown>, Gate>>;
      if (statistical === undefined || (statistical.needsSteps && !hasSteps)) return [];
      const weight = statistical.weightOf(gate);
      return weight === undefined ? [] : [[gate.name, weight]];
    }),
  );
  const parts = sharedOut(alpha, weights);
  return gates.map((gate) => {
    const own = parts[gate.name];
    return own === undefined ? gate : { ...gate, alpha: own };
  });
}

/** Seconds from the end of a look to the next one, where nothing is said. Pure. */
export function everyOf(form: GateForm): number {
  const given: Readonly<Record<string, unknown>> = { ...form };
  return configurableGates.find(({ key }) => given[key] !== undefined)?.every ?? gateDefaults.every;
}

/** What a gate will call; `undefined`: nobody. */
export function callOfGate(gate: Gate): Call | undefined {
  return (kinds[gate.kind] as GateKind<Gate>).call?.(gate);
}

/**
 * Makes sure of what a gate needs of this machine, before a rollout begins.
 * @throws UserError what is missing or wrong
 */
export async function requireOfGate(gate: Gate, folder: string): Promise<void> {
  await (kinds[gate.kind] as GateKind<Gate>).require?.(gate, folder);
}

/** One look of a gate. */
export async function lookOnce(
  looking: Looking,
  gate: Gate,
  subject: GateSubject,
  signal: AbortSignal,
): Promise<Looked> {
  return await (kinds[gate.kind] as GateKind<Gate>).look(looking, gate, subject, signal);
}
