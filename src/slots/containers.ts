import type { ContainerStatus, PodObject } from "./kubernetes-objects.ts";

/** How a container of a pod stands. */
export interface ContainerRun {
  /** How often it was started again. */
  readonly restarts: number;
  /** Whether it runs or has ever run: then it has a log. */
  readonly hasRun: boolean;
  /** Kubernetes' word for what it waits for. */
  readonly waitsFor: string | undefined;
}

/** Pure. */
export function containerRun({ status }: PodObject, container: string): ContainerRun {
  const all = [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])];
  const found = all.find(({ name }) => name === container);
  const ever = found?.state?.running ?? found?.state?.terminated ?? found?.lastState?.terminated;
  return {
    restarts: found?.restartCount ?? 0,
    hasRun: ever !== undefined,
    waitsFor: found?.state?.waiting?.reason,
  };
}

/** How often the containers of a pod were started again. Pure. */
export function restartsOf({ status }: PodObject): number {
  return (status?.containerStatuses ?? []).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
}

/** How a container ended the last time, for example `OOMKilled, exit code 137`. Pure. */
export function describeEnd(status: ContainerStatus): string {
  const ended = status.state?.terminated ?? status.lastState?.terminated;
  if (ended === undefined) return "no reason given";
  const reason = ended.reason === undefined || ended.reason === "Error" ? "" : `${ended.reason}, `;
  const how = ended.signal ? `signal ${ended.signal}` : `exit code ${ended.exitCode ?? "unknown"}`;
  return `${reason}${how}`;
}
