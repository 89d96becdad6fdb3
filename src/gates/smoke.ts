import { z } from "zod";
import type { ConfigProblem } from "../config/parts/problem.ts";
import { absolutePath, otherwise } from "../config/parts/schema-parts.ts";
import { tied } from "../config/parts/tied.ts";
import type { GateVerdict } from "../core/calls.ts";
import { type Fields, isFields } from "../core/fields.ts";
import { anyCertificate, ingressGateProblems, ingressHeaders } from "./ingress-rules.ts";
import type { GateIo } from "./io.ts";
import { type ConfigurableGate, lookBy } from "./kind.ts";
import { type Came, cameTo } from "./outcome.ts";
import { readJson } from "./protocols/protocol.ts";

/** Whether a model of Open Inference v2 is there, and has the inputs and outputs that clients know. */
export interface SmokeConfig {
  /** The model, as clients ask, for example `/v2/models/fraud`. */
  readonly path: string;
  /** `changed`: inputs or outputs may be others than those of the live model. @default unchanged */
  readonly schema?: "unchanged" | "changed";
  readonly headers?: Readonly<Record<string, string>>;
  /** Take any certificate of the ingress, over https: whoever answers in its place is believed. @default false */
  readonly insecure?: boolean;
}

export interface SmokeForm {
  readonly smoke: SmokeConfig;
}

export interface SmokeSettings {
  readonly kind: "smoke";
  readonly smoke: {
    readonly path: string;
    readonly schema: "unchanged" | "changed";
    readonly headers: Readonly<Record<string, string>>;
    readonly insecure: boolean;
    /** Nobody said that there is such a model: it fails only where the live one answers what it asks. @default somebody said so */
    readonly unlessLiveFails?: true;
    readonly timeoutMs: number;
  };
}

const smoke = z
  .strictObject({
    path: absolutePath.describe("The model, as clients ask, for example /v2/models/fraud"),
    schema: z
      .enum(["unchanged", "changed"])
      .optional()
      .describe(
        `changed: inputs or outputs may be others than those of the live model. ${otherwise("unchanged")}`,
      ),
    headers: ingressHeaders,
    insecure: anyCertificate,
  })
  .describe("Whether a model of Open Inference v2 is ready and has the inputs and outputs that clients know");

/** A tensor of the metadata: `x: FP64 [-1,2]`. */
const tensors = z.array(z.string());
const schemaSeen = z.object({ inputs: tensors, outputs: tensors });
type SchemaSeen = z.infer<typeof schemaSeen>;

const remembered = z.object({
  /** The live model's, seen while the release was verified; later clients may be led to either. */
  live: schemaSeen.optional(),
});
type SmokeMemory = z.infer<typeof remembered>;

type Metadata =
  | { readonly kind: "schema"; readonly schema: SchemaSeen }
  | { readonly kind: "wrong"; readonly why: string }
  /** Nobody can say: the ingress was not reached, or limits requests. */
  | { readonly kind: "unanswered"; readonly why: string };

interface SmokeSample {
  readonly ready: Came;
  readonly release: Metadata;
  /** `undefined`: not asked. */
  readonly live: Metadata | undefined;
}

const look = lookBy<SmokeSettings, SmokeSample, SmokeMemory>({
  remembers: { nothing: {}, schema: remembered },
  ask: async ({ io, memory }, { smoke: asking }, { phase }, signal) => {
    const get = (route: "release" | "clients", path: string) => asked(io, asking, route, path, signal);
    const route = phase === "soak" ? "clients" : "release";
    const ready = await get(route, `${asking.path}/ready`);
    const release = metadataOf(await get(route, asking.path));
    const isLiveToBeSeen = phase === "verify" && asking.schema === "unchanged" && memory.live === undefined;
    const live = isLiveToBeSeen ? await seeLive(asking, (path) => get("clients", path)) : undefined;
    return { ready, release, live };
  },
  judge: (memory, { ready, release, live: seen }, { smoke: asking }) => {
    const live = memory.live ?? (seen?.kind === "schema" ? seen.schema : undefined);
    const next: SmokeMemory = live === undefined ? {} : { live };
    const verdict = verdictOf(asking.schema, ready, release, live, seen);
    if (asking.unlessLiveFails !== true || live !== undefined) return { memory: next, verdict };
    const why = seen !== undefined && seen.kind !== "schema" ? `: ${seen.why}` : "";
    const evidence = `whether the live model answers ${asking.path} was not seen${why}`;
    return { memory: next, verdict: { verdict: "inconclusive", evidence } };
  },
});

/** What the live model says of itself; where nobody said that it does, it has to be ready as well. */
async function seeLive(
  { path, unlessLiveFails }: SmokeSettings["smoke"],
  get: (path: string) => Promise<Came>,
): Promise<Metadata> {
  const ready = unlessLiveFails === true ? await get(`${path}/ready`) : undefined;
  if (ready !== undefined && ready.kind !== "answer") return ready;
  return metadataOf(await get(path));
}

function verdictOf(
  wanted: "unchanged" | "changed",
  ready: SmokeSample["ready"],
  release: Metadata,
  live: SchemaSeen | undefined,
  seen: Metadata | undefined,
): GateVerdict {
  if (ready.kind === "wrong") return { verdict: "fail", evidence: `not ready: ${ready.why}` };
  if (ready.kind === "unanswered") return { verdict: "inconclusive", evidence: ready.why };
  if (release.kind === "wrong") return { verdict: "fail", evidence: `metadata: ${release.why}` };
  if (release.kind === "unanswered") return { verdict: "inconclusive", evidence: release.why };
  const { schema } = release;
  const data = { release: schema, ...(live === undefined ? {} : { live }) };
  if (wanted === "changed")
    return { verdict: "pass", evidence: "ready; inputs and outputs may be others", data };
  if (live === undefined) {
    const why = seen !== undefined && seen.kind !== "schema" ? `: ${seen.why}` : "";
    return {
      verdict: "inconclusive",
      evidence: `the live model's inputs and outputs were not seen${why}`,
      data,
    };
  }
  const changes = [
    ...changesOf("input", live.inputs, schema.inputs),
    ...changesOf("output", live.outputs, schema.outputs),
  ];
  if (changes.length === 0) {
    const isNamed = [schema, live].some(({ inputs, outputs }) => inputs.length + outputs.length > 0);
    const evidence = isNamed
      ? "ready, inputs and outputs as before"
      : "ready; neither model names inputs or outputs, so these are not compared";
    return { verdict: "pass", evidence, data };
  }
  return { verdict: "fail", evidence: `${changes.join("; ")} (schema: "changed" allows it)`, data };
}

function changesOf(what: string, before: readonly string[], now: readonly string[]): string[] {
  return [
    ...before.filter((one) => !now.includes(one)).map((one) => `no ${what} ${one} any more`),
    ...now.filter((one) => !before.includes(one)).map((one) => `new ${what} ${one}`),
  ];
}

async function asked(
  io: GateIo,
  { headers, insecure, timeoutMs }: SmokeSettings["smoke"],
  route: "release" | "clients",
  path: string,
  signal: AbortSignal,
): Promise<Came> {
  return cameTo(
    await io.ask({ route, path, method: "GET", headers, body: undefined, insecure, timeoutMs, signal }),
  );
}

function metadataOf(came: Came): Metadata {
  if (came.kind !== "answer") return came;
  const read = readJson(came.answer.body);
  if (read.kind === "nothing") return { kind: "wrong", why: read.why };
  if (!isFields(read.value)) return { kind: "wrong", why: "the answer is no object" };
  const { inputs, outputs } = read.value;
  return { kind: "schema", schema: { inputs: tensorsOf(inputs), outputs: tensorsOf(outputs) } };
}

/** In an order of their own: clients name tensors. Servers that know none have no schema to compare. */
function tensorsOf(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  return value
    .filter(isFields)
    .map(({ name, datatype, shape }) => `${String(name)}: ${String(datatype)} ${JSON.stringify(shape ?? [])}`)
    .sort();
}

/** The live model is what clients get only as long as the release is verified. */
function unseenLive({ smoke: asking, phases }: Fields): ConfigProblem[] {
  if (!isFields(asking) || asking.schema === "changed") return [];
  if (!Array.isArray(phases) || phases.includes("verify")) return [];
  const message =
    'compares with the live model, which is seen in the phase verify alone; add it to phases, or write schema: "changed"';
  return [{ path: ["phases"], message }];
}

export const smokeGate: ConfigurableGate<SmokeForm, SmokeSettings> = {
  key: "smoke",
  schema: tied<SmokeForm>()(z.object({ smoke })),
  timeout: 10,
  settings: ({ smoke: { path, schema, headers, insecure } }, timeoutMs) => ({
    kind: "smoke",
    smoke: {
      path: path.replace(/\/+$/, ""),
      schema: schema ?? "unchanged",
      headers: headers ?? {},
      insecure: insecure ?? false,
      timeoutMs,
    },
  }),
  problems: (gate, around) => [...ingressGateProblems("smoke", gate, around), ...unseenLive(gate)],
  look,
};
