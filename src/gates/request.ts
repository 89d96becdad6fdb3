import { isDeepStrictEqual } from "node:util";
import { asEvidence, firstLine } from "../calls/attempt.ts";
import type { GateVerdict } from "../core/calls.ts";
import type { Gate, GateRequest } from "../core/gates.ts";
import { jsonAt } from "../core/json-path.ts";
import type { GateIo, GateSubject, IngressAnswer } from "./io.ts";

type RequestGate = Extract<Gate, { kind: "request" }>;

/**
 * Sends requests through the real ingress, one after the other, each on a connection of its own. Before the cut-over the preview
 * header leads them to the new release; after it they go where clients' do. Ends as soon as too many answers were wrong.
 */
export async function requestGate(
  io: GateIo,
  { request }: RequestGate,
  subject: GateSubject,
  signal: AbortSignal,
): Promise<GateVerdict> {
  const route = subject.phase === "soak" ? "clients" : "release";
  const body = request.body === undefined ? undefined : JSON.stringify(request.body);
  const wrong: string[] = [];
  const unreachable: string[] = [];
  const limited: string[] = [];
  let [asked, slowest] = [0, 0];
  while (asked < request.count && wrong.length <= request.allowed) {
    asked += 1;
    const { path, method, headers, insecure, timeoutMs } = request;
    const outcome = await io.ask({ route, path, method, headers, body, insecure, timeoutMs, signal });
    switch (outcome.kind) {
      case "unreachable":
        unreachable.push(outcome.why);
        break;
      case "broken":
        wrong.push(outcome.why);
        break;
      case "answer": {
        const { limit, status } = outcome.answer;
        if (limit !== undefined && status !== request.expect.status) {
          limited.push(limit);
          break;
        }
        slowest = Math.max(slowest, outcome.latencyMs);
        const problem = answerProblem(request, outcome.answer, outcome.latencyMs);
        if (problem !== undefined) wrong.push(problem);
      }
    }
  }
  const right = asked - wrong.length - unreachable.length - limited.length;
  const evidence = [
    `${right} of ${asked} answers as expected`,
    ...(slowest > 0 ? [`slowest ${seconds(slowest)}`] : []),
    ...counted(wrong),
    ...counted(unreachable).map((why) => `ingress not reached: ${why}`),
    ...counted(limited).map((why) => `not answered by the release: ${why}`),
  ].join("; ");
  if (wrong.length > request.allowed) return { verdict: "fail", evidence };
  // The ingress itself was not reached, or limits requests: that says nothing about the release.
  if (unreachable.length + limited.length > 0) return { verdict: "inconclusive", evidence };
  return { verdict: "pass", evidence };
}

/** What is wrong with an answer; `undefined`: nothing. Pure. */
export function answerProblem(
  { expect }: Pick<GateRequest, "expect">,
  answer: IngressAnswer,
  latencyMs: number,
): string | undefined {
  const { status, body } = answer;
  if (status !== expect.status) {
    const words = firstLine(body, 200);
    return `HTTP ${status} instead of ${expect.status}${words === "" ? "" : `: ${words}`}`;
  }
  if (expect.latencyMs !== undefined && latencyMs > expect.latencyMs) {
    return `took longer than ${seconds(expect.latencyMs)}`;
  }
  if (expect.json !== undefined && answer.truncated === true) return "the answer is too large to be read";
  return expect.json === undefined ? undefined : jsonProblem(expect.json, body);
}

function jsonProblem(
  { path, value }: { readonly path: string; readonly value: unknown },
  body: string,
): string | undefined {
  let answer: unknown;
  try {
    answer = JSON.parse(body);
  } catch {
    return "the answer is no JSON";
  }
  const found = jsonAt(answer, path);
  if (value === undefined) return found === undefined || found === null ? `nothing at ${path}` : undefined;
  if (isDeepStrictEqual(found, value)) return undefined;
  return `${path} is ${shown(found)} instead of ${shown(value)}`;
}

function shown(value: unknown): string {
  return value === undefined ? "not there" : asEvidence(JSON.stringify(value)).slice(0, 100);
}

/** The same reason once, with how often it was seen. */
function counted(reasons: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const lines = [...counts].map(([reason, count]) => (count === 1 ? reason : `${count} times ${reason}`));
  return lines.length > 3 ? [...lines.slice(0, 3), `and ${lines.length - 3} other reasons`] : lines;
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toPrecision(3))} s`;
}
