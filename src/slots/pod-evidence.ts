import { type KubernetesApi, largestPodAnswer } from "../kubernetes/api.ts";
import type { List } from "../kubernetes/lists.ts";
import type { EventObject } from "./kubernetes-objects.ts";
import type { PodEvidence, PodProblem } from "./observation.ts";

const logLines = 8;
const eventLines = 3;

/** The last words of a pod that has a problem. What cannot be read is left out: evidence never fails a command. */
export async function podEvidence(
  api: KubernetesApi,
  namespace: string,
  problem: PodProblem,
  signal?: AbortSignal,
): Promise<PodEvidence> {
  const hasLogs =
    ["crash-loop", "failing-probe", "model-fetch"].includes(problem.kind) ||
    (problem.kind === "starting" && problem.container !== undefined);
  const [log, events] = await Promise.all([
    hasLogs ? podLog(api, namespace, problem, signal) : [],
    podEvents(api, namespace, problem, signal),
  ]);
  return { pod: problem.pod, logLines: log, events };
}

async function podLog(
  api: KubernetesApi,
  namespace: string,
  problem: PodProblem,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  const path = `/api/v1/namespaces/${namespace}/pods/${problem.pod}/log`;
  // A crashed container that was started again has its story in the previous one.
  for (const previous of ["failing-probe", "starting"].includes(problem.kind) ? [false] : [true, false]) {
    try {
      const answer = await api.request({
        method: "GET",
        path,
        // Pods with several containers have no log of their own.
        query: { previous, tailLines: logLines, container: problem.container },
        timeoutMs: 5_000,
        maxBytes: largestPodAnswer,
        ...(signal === undefined ? {} : { signal }),
      });
      const lines = answer.body.split("\n").filter((line) => line.trim() !== "");
      if (answer.status < 400 && lines.length > 0) return lines;
    } catch {
      return [];
    }
  }
  return [];
}

async function podEvents(
  api: KubernetesApi,
  namespace: string,
  problem: PodProblem,
  signal: AbortSignal | undefined,
): Promise<string[]> {
  try {
    const list = await api.find<List<EventObject>>(`/api/v1/namespaces/${namespace}/events`, {
      query: { fieldSelector: `involvedObject.kind=Pod,involvedObject.name=${problem.pod},type=Warning` },
      timeoutMs: 5_000,
      ...(signal === undefined ? {} : { signal }),
    });
    const lines = (list?.items ?? [])
      .filter((event) => !repeats(event, problem))
      .toSorted((a, b) => timeOf(a).localeCompare(timeOf(b)))
      .map((event) => `${event.reason ?? "Event"}: ${event.message ?? ""}`.trim());
    return [...new Set(lines)].slice(-eventLines);
  } catch {
    return [];
  }
}

/** Many events only say what the problem does already. */
function repeats({ message = "" }: EventObject, problem: PodProblem): boolean {
  const said = message.trim().replace(/^Error: /, "");
  return said !== "" && (said === problem.reason || problem.message.includes(said));
}

function timeOf(event: EventObject): string {
  return event.lastTimestamp ?? event.eventTime ?? event.metadata?.creationTimestamp ?? "";
}
