import type { ContainerStatus, PodObject } from "./kubernetes-objects.ts";
import type { PodProblem } from "./observation.ts";

/** What is seen of a pod's slot, where the pod itself is ready. */
export interface EndpointView {
  readonly service: string | undefined;
  readonly selector: Readonly<Record<string, string>>;
  /** Names of pods that are endpoints, ready or not. */
  readonly listed: ReadonlySet<string>;
  readonly portless: ReadonlySet<string>;
}

/** Of pods that no Service is asked about. */
export const noService: EndpointView = {
  service: undefined,
  selector: {},
  listed: new Set(),
  portless: new Set(),
};

/**
 * What a pod that takes no requests is at, where nothing is wrong with it: when its time is over, that is the reason. `undefined`: it
 * takes requests, or is on its way out. Pure.
 */
export function podWait(pod: PodObject, view: EndpointView): PodProblem | undefined {
  const { metadata, status = {} } = pod;
  if (metadata?.deletionTimestamp !== undefined) return undefined;
  if (status.phase === "Failed" || status.phase === "Succeeded") return undefined;
  const isReady = condition(pod, "Ready")?.status === "True";
  const said = isReady ? missingEndpoint(pod, view) : startingAt(pod);
  if (said === undefined) return undefined;
  const { message, container } = said;
  return {
    pod: metadata?.name ?? "",
    ...(container === undefined ? {} : { container }),
    kind: isReady ? "no-endpoint" : "starting",
    reason: isReady ? "NoEndpoint" : "Starting",
    message,
    final: false,
  };
}

interface Said {
  readonly message: string;
  readonly container?: string;
}

function condition(pod: PodObject, type: string) {
  return pod.status?.conditions?.find((one) => one.type === type);
}

function startingAt(pod: PodObject): Said {
  const { spec = {}, status = {} } = pod;
  const scheduled = condition(pod, "PodScheduled");
  if (scheduled === undefined && spec.nodeName === undefined && status.containerStatuses === undefined) {
    const scheduler = spec.schedulerName ?? "default-scheduler";
    return { message: `No scheduler has looked at it so far: it asks for "${scheduler}"` };
  }
  if (scheduled !== undefined && scheduled.status !== "True") {
    return { message: scheduled.message ?? `It has no node yet (${scheduled.reason ?? "not scheduled"})` };
  }
  return (
    initContainerWait(pod) ??
    containerWait(status.containerStatuses ?? []) ?? {
      message:
        condition(pod, "ContainersReady")?.status === "True"
          ? `Its containers are ready, and it is not${onNode(pod)}: its node may have gone`
          : `The node${spec.nodeName === undefined ? "" : ` ${spec.nodeName}`} has not begun to start it`,
    }
  );
}

function onNode({ spec }: PodObject): string {
  return spec?.nodeName === undefined ? "" : ` (on the node ${spec.nodeName})`;
}

function initContainerWait({ spec, status }: PodObject): Said | undefined {
  for (const one of status?.initContainerStatuses ?? []) {
    const isSidecar = isSidecarOf(spec?.initContainers ?? [], one.name);
    const { running, waiting, terminated } = one.state ?? {};
    const about = { container: one.name };
    if (isSidecar) {
      if (running !== undefined && one.started === true) continue;
      return { ...about, message: `Its sidecar ${one.name} has not started yet${because(waiting)}` };
    }
    if (terminated !== undefined && terminated.exitCode === 0) continue;
    if (running !== undefined) {
      const since = running.startedAt === undefined ? "" : `, since ${running.startedAt}`;
      return { ...about, message: `Its init container ${one.name} is still running${since}` };
    }
    return { ...about, message: `Its init container ${one.name} has not begun yet${because(waiting)}` };
  }
  return undefined;
}

export function isSidecarOf(
  initContainers: readonly { readonly name?: string; readonly restartPolicy?: string }[],
  name: string,
): boolean {
  return initContainers.some((one) => one.name === name && one.restartPolicy === "Always");
}

function containerWait(statuses: readonly ContainerStatus[]): Said | undefined {
  for (const { name, state, started, ready } of statuses) {
    const about = { container: name };
    if (state?.waiting !== undefined) {
      return { ...about, message: `Container ${name} has not begun yet${because(state.waiting)}` };
    }
    if (state?.terminated !== undefined) return { ...about, message: `Container ${name} has ended` };
    if (state?.running !== undefined && started === false) {
      return { ...about, message: `Container ${name} runs, but its startup probe has not passed yet` };
    }
    if (ready === false) return { ...about, message: `Container ${name} is not ready` };
  }
  return undefined;
}

function because(waiting: { readonly reason?: string; readonly message?: string } | undefined): string {
  const words = [waiting?.reason, waiting?.message].filter(Boolean).join(": ");
  return words === "" ? "" : ` (${words})`;
}

function missingEndpoint({ metadata }: PodObject, view: EndpointView): Said | undefined {
  const name = metadata?.name ?? "";
  const { service, selector, listed, portless } = view;
  if (service === undefined || listed.has(name)) return undefined;
  if (portless.has(name)) {
    return {
      message: `It is ready, but no container of it has the port that the Service ${service} names (targetPort)`,
    };
  }
  const missing = Object.entries(selector).filter(([key, value]) => metadata?.labels?.[key] !== value);
  if (missing.length > 0) {
    const wanted = missing.map(([key, value]) => `${key}=${value}`).join(", ");
    return { message: `It is ready, but the Service ${service} does not select it: it lacks ${wanted}` };
  }
  return { message: `It is ready, but no endpoint of the Service ${service} yet` };
}
