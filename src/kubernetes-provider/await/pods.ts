import { at, listAt, mapAt, nameOf, numberAt, text } from "../objects.ts";
import { isMap, type PropertyMap } from "../struct.ts";
import { condition, isBeingDeleted } from "./observer.ts";

/** Why a pod isn't ready. */
export interface PodProblem {
  readonly pod: string;
  /** Undefined when the problem is the whole pod's. */
  readonly container: string | undefined;
  /** Kubernetes' word, for example `CrashLoopBackOff`. */
  readonly reason: string;
  readonly message: string;
  readonly restarts: number;
  /** `mending`: may still go well; `failing`: something is wrong; `hopeless`: retries will not help. */
  readonly severity: "mending" | "failing" | "hopeless";
  /** Whose output tells more: the container that runs, or the one before. */
  readonly logs: "current" | "previous" | undefined;
}

/** So many crashes, with the growing pauses between them, take two and a half minutes and are no coincidence. */
const hopelessRestarts = 5;

/** Answers of a registry that the next try will get again. */
const definiteRefusal =
  /not found|manifest unknown|does not exist|unauthorized|denied|forbidden|invalid reference/i;

export function isReady(pod: PropertyMap): boolean {
  return !isBeingDeleted(pod) && text(condition(pod, "Ready"), "status") === "True";
}

/** What keeps a pod from being ready; empty when it is ready or on its way out. */
export function podProblems(pod: PropertyMap): readonly PodProblem[] {
  if (isReady(pod) || isBeingDeleted(pod)) return [];
  const scheduled = condition(pod, "PodScheduled");
  if (text(scheduled, "status") === "False") {
    return [ofPod(pod, text(scheduled, "reason") || "Unschedulable", text(scheduled, "message"))];
  }
  const statuses = [
    ...listAt(pod, "status", "initContainerStatuses"),
    ...listAt(pod, "status", "containerStatuses"),
  ];
  const problems = statuses.filter(isMap).flatMap((status) => containerProblem(pod, status) ?? []);
  if (problems.length > 0) return problems;
  if (text(pod, "status", "phase") === "Failed") {
    return [ofPod(pod, text(pod, "status", "reason") || "Failed", text(pod, "status", "message"))];
  }
  return [];
}

function ofPod(pod: PropertyMap, reason: string, message: string): PodProblem {
  const about = { pod: nameOf(pod), container: undefined, restarts: 0, logs: undefined };
  return { ...about, reason, message, severity: "failing" };
}

function containerProblem(pod: PropertyMap, status: PropertyMap): PodProblem | undefined {
  if (status.ready === true) return undefined;
  const restarts = numberAt(status, "restartCount") ?? 0;
  const about = { pod: nameOf(pod), container: text(status, "name"), restarts };
  const ended = Object.keys(mapAt(status, "lastState", "terminated")).length > 0;

  const waiting = mapAt(status, "state", "waiting");
  const reason = text(waiting, "reason");
  const message = text(waiting, "message");
  switch (reason) {
    case "":
      break;
    case "ContainerCreating":
    case "PodInitializing":
      return undefined;
    case "CrashLoopBackOff": {
      const neverRan = ["StartError", "ContainerCannotRun"].includes(
        text(status, "lastState", "terminated", "reason"),
      );
      const severity = neverRan || restarts >= hopelessRestarts ? "hopeless" : "failing";
      const how = describeEnd(mapAt(status, "lastState", "terminated"));
      const logs = neverRan ? undefined : "previous";
      return { ...about, reason, message: `${how}, restarted ${times(restarts)}`, severity, logs };
    }
    case "InvalidImageName":
    case "ErrImageNeverPull":
      return { ...about, reason, message, severity: "hopeless", logs: undefined };
    case "ImagePullBackOff": {
      // The first refusal is `ErrImagePull`; the back-off means that it was tried again or soon will be.
      const severity = definiteRefusal.test(message) ? "hopeless" : "failing";
      return { ...about, reason, message, severity, logs: undefined };
    }
    default:
      return { ...about, reason, message, severity: "failing", logs: ended ? "previous" : undefined };
  }

  const terminated = mapAt(status, "state", "terminated");
  if (Object.keys(terminated).length > 0) {
    if (numberAt(terminated, "exitCode") === 0) return undefined;
    const why = text(terminated, "reason") || "Error";
    return { ...about, reason: why, message: describeEnd(terminated), severity: "failing", logs: "current" };
  }
  if (at(status, "state", "running") !== undefined) {
    const last = ended ? `; before that it ${describeEnd(mapAt(status, "lastState", "terminated"))}` : "";
    const severity = ended ? "failing" : "mending";
    return {
      ...about,
      reason: "NotReady",
      message: `runs but is not ready${last}`,
      severity,
      logs: "current",
    };
  }
  return undefined;
}

function describeEnd(terminated: PropertyMap): string {
  const code = numberAt(terminated, "exitCode");
  const signal = numberAt(terminated, "signal");
  const reason = text(terminated, "reason");
  const how = signal ? `was killed by signal ${signal}` : `ended with exit code ${code ?? "unknown"}`;
  const why = reason === "" || reason === "Error" ? "" : ` (${reason})`;
  const said = text(terminated, "message").trim();
  return `${how}${why}${said === "" ? "" : `: ${said}`}`;
}

const times = (count: number): string => (count === 1 ? "once" : `${count} times`);

/**
 * One line for each distinct problem, whichever pods have it:
 * `pods x-1, x-2, container model: CrashLoopBackOff: ended with exit code 1, restarted 3 times`.
 */
export function describeProblems(problems: readonly PodProblem[]): readonly string[] {
  const podsByText = new Map<string, string[]>();
  for (const problem of problems) {
    const where = problem.container === undefined ? "" : `, container ${problem.container}`;
    const message = problem.message.trim();
    const what = `${where}: ${problem.reason}${message === "" ? "" : `: ${message}`}`;
    podsByText.set(what, [...(podsByText.get(what) ?? []), problem.pod]);
  }
  return [...podsByText].map(
    ([what, pods]) => `${pods.length === 1 ? "pod" : "pods"} ${pods.join(", ")}${what}`,
  );
}
