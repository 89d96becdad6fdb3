import { modelContainer } from "../../component/deployment.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import type { Slot } from "../../core/slots.ts";
import { type KubernetesApi, KubernetesApiError, type LineStream } from "../../kubernetes/api.ts";
import type { List } from "../../kubernetes/lists.ts";
import { containerRun } from "../../slots/containers.ts";
import type { ContainerObject, PodObject } from "../../slots/kubernetes-objects.ts";
import type { RolloutContext } from "../context/context.ts";

/** One line of a container's log. */
export interface LogLine {
  readonly pod: string;
  readonly container: string;
  readonly line: string;
}

export interface LogOptions {
  /** Labels of the slot's pods. */
  readonly selector: Readonly<Record<string, string>>;
  /** @default the model server's, else the pod's first */
  readonly container: string | undefined;
  /** Go on with what is written from now on, also by pods that come later. */
  readonly follow: boolean;
  /** Of the container before it was started again. */
  readonly previous: boolean;
  readonly sinceSeconds: number | undefined;
  /** How many lines of the end; `undefined`: all. */
  readonly tailLines: number | undefined;
  /** With the time before each line. */
  readonly timestamps: boolean;
}

/** How often somebody who follows looks for new pods. */
const lookEveryMs = 2_000;

interface Source {
  readonly pod: string;
  readonly container: string;
  /** Another one after each restart. */
  readonly run: string;
}

/**
 * Reads the logs of all pods of a slot; returns those that have none to read, with the reason. When following, it ends when the user
 * stops it.
 * @throws UserError `container-unknown` (exit code 2)
 */
export async function readLogs(
  context: Pick<RolloutContext, "api" | "namespace" | "clock" | "signal">,
  streams: LineStream,
  slot: Slot,
  options: LogOptions,
  onLine: (line: LogLine) => void,
): Promise<readonly { readonly pod: string; readonly why: string }[]> {
  const { signal, clock } = context;
  if (!options.follow) {
    const pods = await podsOf(context.api, context.namespace, options.selector, signal);
    const skipped: { pod: string; why: string }[] = [];
    // One after the other: lines of a pod stay together.
    for (const pod of pods) {
      const source = sourceOf(pod, slot, options);
      const why = "why" in source ? source.why : await readOne(context, streams, source, options, onLine);
      if (why !== undefined) skipped.push({ pod: pod.metadata?.name ?? "", why });
    }
    return skipped;
  }
  const followed = new Set<string>();
  const running: Promise<unknown>[] = [];
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    for (const pod of await podsOf(context.api, context.namespace, options.selector, signal)) {
      const source = sourceOf(pod, slot, options);
      if ("why" in source || followed.has(source.run)) continue;
      followed.add(source.run);
      // What came meanwhile is shown from its beginning.
      const from = isFirst ? options : { ...options, tailLines: undefined, sinceSeconds: undefined };
      running.push(readOne(context, streams, source, from, onLine));
    }
    try {
      await clock.sleep(lookEveryMs, signal);
    } catch {
      break;
    }
  }
  await Promise.allSettled(running);
  return [];
}

async function podsOf(
  api: KubernetesApi,
  namespace: string,
  selector: LogOptions["selector"],
  signal: AbortSignal,
): Promise<readonly PodObject[]> {
  const labelSelector = Object.entries(selector)
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const list = await api.find<List<PodObject>>(path, { query: { labelSelector }, signal });
  return (list?.items ?? []).toSorted((a, b) => nameOf(a).localeCompare(nameOf(b)));
}

const nameOf = (pod: PodObject) => pod.metadata?.name ?? "";

function sourceOf(
  pod: PodObject,
  slot: Slot,
  { container: wanted, previous }: LogOptions,
): Source | { readonly why: string } {
  const names = containersOf(pod).map(({ name = "" }) => name);
  if (wanted !== undefined && !names.includes(wanted)) {
    throw new UserError({
      code: "container-unknown",
      message: `The pod ${nameOf(pod)} of ${slot} has no container "${wanted}".`,
      hint: `It has ${names.join(", ")}.`,
      exitCode: exitCodes.usage,
    });
  }
  const container = wanted ?? (names.includes(modelContainer) ? modelContainer : names[0]) ?? "";
  const { restarts, hasRun, waitsFor } = containerRun(pod, container);
  if (previous && restarts === 0)
    return { why: `${container} was not started again, so there is no previous log` };
  if (!hasRun) {
    return { why: `${container} has not started${waitsFor === undefined ? "" : ` (${waitsFor})`}` };
  }
  return { pod: nameOf(pod), container, run: `${nameOf(pod)}/${container}/${restarts}` };
}

function containersOf({ spec }: PodObject): readonly ContainerObject[] {
  return [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
}

/** Why a log could not be read; `undefined`: it was. */
async function readOne(
  { namespace, signal }: Pick<RolloutContext, "namespace" | "signal">,
  streams: LineStream,
  { pod, container }: Source,
  { follow, previous, sinceSeconds, tailLines, timestamps }: LogOptions,
  onLine: (line: LogLine) => void,
): Promise<string | undefined> {
  const query = {
    container,
    follow: follow || undefined,
    previous: previous || undefined,
    sinceSeconds,
    tailLines,
    timestamps: timestamps || undefined,
  };
  try {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
    for await (const line of streams.lines(path, { query, signal })) onLine({ pod, container, line });
    return undefined;
  } catch (error) {
    if (signal.aborted) return undefined;
    // A pod that went away meanwhile, or a container that has not started, has no log; an account that may not read it has an error.
    if (error instanceof KubernetesApiError && error.status !== 403) return error.message;
    throw error;
  }
}
