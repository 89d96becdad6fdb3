import { nameOf, numberAt, text } from "../objects.ts";
import type { Session } from "../session.ts";
import type { PropertyMap } from "../struct.ts";
import { collection, ifAllowed, list } from "./observer.ts";
import { type PodProblem, podProblems } from "./pods.ts";

const shownProblems = 2;
const shownEvents = 3;
const shownLines = 10;

/** Events and last log lines for the worst problems, each from one of the pods that have it. */
export async function explainPods(
  session: Session,
  pods: readonly PropertyMap[],
): Promise<readonly string[]> {
  const rank = { hopeless: 0, failing: 1, mending: 2 } as const;
  const kind = ({ container, reason }: PodProblem) => `${container} ${reason}`;
  const worst = pods
    .flatMap((pod) => podProblems(pod).map((problem) => ({ pod, problem })))
    .sort((a, b) => rank[a.problem.severity] - rank[b.problem.severity])
    .filter(
      ({ problem }, index, all) => all.findIndex((other) => kind(other.problem) === kind(problem)) === index,
    )
    .slice(0, shownProblems);
  const details = await Promise.all(
    worst.map(async ({ pod, problem }) => {
      const [events, lines] = await Promise.all([
        recentEvents(session, pod, problem),
        lastLines(session, pod, problem),
      ]);
      return [...events, ...lines];
    }),
  );
  return details.flat();
}

/** Latest warnings about an object, but for those that only repeat the known problem. */
export async function recentEvents(
  session: Session,
  about: PropertyMap,
  known?: PodProblem,
): Promise<readonly string[]> {
  const fieldSelector = `involvedObject.uid=${text(about, "metadata", "uid")},type=Warning`;
  const path = collection(about, "/api/v1", "events");
  const events = (await ifAllowed(list(session.client.api, path, { fieldSelector }, session.signal))) ?? [];
  const time = (event: PropertyMap) =>
    text(event, "lastTimestamp") || text(event, "eventTime") || text(event, "metadata", "creationTimestamp");
  const repeats = (event: PropertyMap) => {
    const message = text(event, "message")
      .trim()
      .replace(/^Error: /, "");
    return known !== undefined && (known.message.includes(message) || known.reason === message);
  };
  return events
    .filter((event) => !repeats(event))
    .sort((a, b) => time(b).localeCompare(time(a)))
    .slice(0, shownEvents)
    .map((event) => {
      const count = numberAt(event, "count") ?? 1;
      const repeated = count > 1 ? ` (${count} times)` : "";
      return `event of ${nameOf(about)}: ${text(event, "reason")}: ${text(event, "message").trim()}${repeated}`;
    });
}

async function lastLines(
  session: Session,
  pod: PropertyMap,
  problem: PodProblem,
): Promise<readonly string[]> {
  if (problem.logs === undefined || problem.container === undefined) return [];
  const response = await session.client.api.request({
    method: "GET",
    path: `${collection(pod, "/api/v1", "pods")}/${encodeURIComponent(nameOf(pod))}/log`,
    query: { container: problem.container, tailLines: shownLines, previous: problem.logs === "previous" },
    headers: { accept: "*/*" },
    signal: session.signal,
    timeoutMs: 5000,
  });
  if (response.status >= 400 || response.body.trim() === "") return [];
  const lines = response.body.trimEnd().split("\n").slice(-shownLines);
  return [`last log lines of pod ${nameOf(pod)}, container ${problem.container}:\n  ${lines.join("\n  ")}`];
}
