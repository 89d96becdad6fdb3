import { exitCodes, UserError } from "../../core/errors.ts";
import { type IdentityProbe, readIdentity } from "../../core/identity.ts";
import { type PodScheme, podProxyPath } from "../../core/pod-address.ts";
import { type Slot, slots } from "../../core/slots.ts";
import { type KubernetesApi, largestPodAnswer } from "../../kubernetes/api.ts";
import { forbiddenError } from "../../kubernetes/forbidden.ts";
import type { SlotObservation } from "../observe/observation.ts";
import type { Identities } from "./proof.ts";

export interface LearnOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly identity: IdentityProbe;
  /** Port of the model server in the pods. */
  readonly port: number;
  /** What that port takes. @default http */
  readonly scheme?: PodScheme;
  /** The pods answer no HTTP: their releases say what their answers have. @default false */
  readonly declared?: boolean;
  /** How long one pod may take to answer, milliseconds. @default 10 000 */
  readonly timeoutMs?: number;
  readonly signal: AbortSignal;
}

const waysToMendIt =
  'Give each slot\'s answers a mark and name it in the config file: a response header (identity: { path, from: { kind: "header", name } }), a value in a JSON answer (kind: "json", path), or the model version of an Open Inference server (server: mlserver({ modelName }); MLServer shows what `versions` in model-settings.json says, and not parameters.version).';

/** The error for slots whose answers look alike. */
export function indistinguishable(message: string, details?: Readonly<Record<string, unknown>>): UserError {
  return new UserError({
    code: "slots-indistinguishable",
    message,
    hint: waysToMendIt,
    exitCode: exitCodes.usage,
    ...(details === undefined ? {} : { details }),
  });
}

/**
 * What answers of each slot look like, asked of every ready pod through the API server. Slots without a ready pod are left out.
 * @throws UserError `slots-indistinguishable` when pods of a slot disagree, show no identity, or both slots show the same one
 */
export async function learnIdentities(
  observed: Readonly<Record<Slot, SlotObservation>>,
  wanted: readonly Slot[],
  options: LearnOptions,
): Promise<Identities> {
  const learnt: Partial<Record<Slot, string>> = {};
  await Promise.all(
    slots
      .filter((slot) => wanted.includes(slot))
      .map(async (slot) => {
        const value = await learnIdentity(observed[slot], options);
        if (value !== undefined) learnt[slot] = value;
      }),
  );
  if (learnt.blue !== undefined && learnt.blue === learnt.green) {
    throw indistinguishable(
      `Blue and green cannot be told apart: both answer ${options.identity.path} with "${learnt.blue}".`,
      { identity: learnt.blue },
    );
  }
  return learnt;
}

/** The identity that all ready pods of a slot agree on; `undefined` when none is ready. */
export async function learnIdentity(
  observed: SlotObservation,
  options: LearnOptions,
): Promise<string | undefined> {
  const pods = observed.endpoints.ready.map((endpoint) => endpoint.pod).filter((pod) => pod !== undefined);
  if (pods.length === 0) return undefined;
  if (options.declared === true) return declaredIdentity(observed, pods);
  const answers = await Promise.all(pods.map(async (pod) => ({ pod, ...(await askPod(pod, options)) })));
  const silent = answers.find((answer) => answer.identity === undefined);
  if (silent !== undefined) {
    throw indistinguishable(
      `The pod ${silent.pod} of ${observed.slot} shows no identity at ${options.identity.path} (${describeSource(options.identity)}): ${silent.seen}.`,
      { slot: observed.slot, pod: silent.pod },
    );
  }
  const values = new Map(answers.map((answer) => [answer.identity, answer.pod]));
  if (values.size > 1) {
    const shown = [...values].map(([identity, pod]) => `${pod} says "${identity}"`);
    throw indistinguishable(
      `The pods of ${observed.slot} do not agree on who they are: ${shown.join(", ")}.`,
      { slot: observed.slot },
    );
  }
  return answers[0]?.identity;
}

/** What the releases of a slot's pods say, where nothing can be asked: at the ingress the proof then sees whether it is true. */
export function declaredIdentity({ slot, pods }: SlotObservation, ready: readonly string[]): string {
  const marks = new Set(pods.filter(({ name }) => ready.includes(name)).map(({ mark }) => mark));
  const [mark, ...others] = [...marks];
  if (mark !== undefined && others.length === 0) return mark;
  throw new UserError({
    code: "slots-indistinguishable",
    message:
      others.length > 0
        ? `The pods of ${slot} are of releases with different marks: ${[...marks].map((one) => one ?? "none").join(", ")}.`
        : `The model server has no HTTP, so its pods cannot be asked who they are, and the release in ${slot} has no mark.`,
    hint: 'Say in each release what its answers have where `grpcOnly` looks, for example `mark: "1.5"`, or `modelswitch release --set mark=1.5`.',
    exitCode: exitCodes.usage,
    details: { slot },
  });
}

/** Asks one pod who it is. */
export async function askPod(
  pod: string,
  options: LearnOptions,
): Promise<{ readonly identity: string | undefined; readonly seen: string }> {
  const [pathname = "", search] = options.identity.path.split("?");
  const asked = options.api.request({
    method: "GET",
    path: podProxyPath(
      { namespace: options.namespace, pod, port: options.port, scheme: options.scheme ?? "http" },
      pathname,
    ),
    ...(search === undefined ? {} : { query: Object.fromEntries(new URLSearchParams(search)) }),
    signal: options.signal,
    timeoutMs: options.timeoutMs ?? 10_000,
    maxBytes: largestPodAnswer,
  });
  const answer = await asked.catch(async (error: unknown) => {
    // A pod that is silent is no outage; an API server that hangs is one, and says nothing of the pod.
    if (error instanceof UserError && error.code === "pod-silent")
      await options.api.request({
        method: "GET",
        path: "/version",
        signal: options.signal,
        timeoutMs: 5_000,
      });
    throw error;
  });
  const refusal = statusMessage(answer.body);
  if (answer.status >= 400 && refusal !== undefined) {
    // The API server itself answered, not the pod.
    const denied = answer.status === 403 ? forbiddenError(refusal) : undefined;
    if (denied !== undefined) throw denied;
    throw new UserError({
      code: "pod-proxy-failed",
      message: `The pod ${pod} cannot be asked for its identity through the API server: ${refusal} (HTTP ${answer.status}).`,
      hint: "Check that the API server reaches pods (konnectivity, firewalls) and that the model server listens on this port.",
      details: { pod, status: answer.status },
    });
  }
  return {
    identity: readIdentity(options.identity, answer),
    seen: `HTTP ${answer.status} ${answer.body.trim().slice(0, 200)}`.trim(),
  };
}

/** The message of a Kubernetes `Status` object; `undefined` for any other body. */
function statusMessage(body: string): string | undefined {
  try {
    const value = JSON.parse(body) as { kind?: unknown; message?: unknown } | null;
    return value?.kind === "Status" && typeof value.message === "string" ? value.message : undefined;
  } catch {
    return undefined;
  }
}

function describeSource(identity: IdentityProbe): string {
  switch (identity.from.kind) {
    case "header":
      return `header ${identity.from.name}`;
    case "json":
      return `JSON path ${identity.from.path}`;
    case "body":
      return "the whole answer";
  }
}
