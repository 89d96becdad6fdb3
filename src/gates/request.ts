import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import { asEvidence, firstLine } from "../calls/attempt.ts";
import type { ConfigProblem } from "../config/parts/problem.ts";
import { absolutePath, otherwise, text } from "../config/parts/schema-parts.ts";
import { tied } from "../config/parts/tied.ts";
import { parseExact, writeExact } from "../core/exact-json.ts";
import { type Fields, isFields } from "../core/fields.ts";
import { jsonAt } from "../core/json-path.ts";
import { anyCertificate, ingressGateProblems, ingressHeaders } from "./ingress-rules.ts";
import type { IngressAnswer } from "./io.ts";
import { type ConfigurableGate, type GateAround, lookWithoutMemory } from "./kind.ts";

/** A request as clients send it, through the ingress. */
export interface GateRequestConfig {
  /** As clients ask, for example `/v2/models/fraud/infer`. */
  readonly path: string;
  /** @default POST with a body, else GET */
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Requests in one look. @default 10 */
  readonly requests?: number;
  /** How many of them may be wrong. @default 0 */
  readonly allowed?: number;
  /** Take any certificate of the ingress, over https: whoever answers in its place gets the headers and the body. @default false */
  readonly insecure?: boolean;
  readonly expect?: {
    /** @default 200 */
    readonly status?: number;
    /** A value of the JSON answer. @default not looked at */
    readonly json?: {
      /** Dot-separated, for example `outputs.0.data.0`. */
      readonly path: string;
      /** What must be there. @default anything but null */
      readonly value?: unknown;
    };
    /** Seconds that an answer may take, for example 0.25. @default as long as the time-out */
    readonly latency?: number;
  };
}

/** Requests through the real ingress, one after the other. */
export interface GateRequest {
  readonly path: string;
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body: unknown;
  /** How many in one look. */
  readonly count: number;
  /** How many of them may be wrong. */
  readonly allowed: number;
  /** Whether any certificate will do, over https. */
  readonly insecure: boolean;
  readonly timeoutMs: number;
  readonly expect: {
    readonly status: number;
    /** Dot-separated path into the JSON answer, and the value that must be there; without a value anything but null. */
    readonly json: { readonly path: string; readonly value: unknown } | undefined;
    readonly latencyMs: number | undefined;
  };
}

/** What applies where nothing is said. */
const own = { requests: 10, allowed: 0, insecure: false, status: 200, timeout: 10 } as const;

const request = z
  .strictObject({
    path: absolutePath.describe("As clients ask, for example /v2/models/fraud/infer"),
    method: z.enum(["GET", "POST"]).optional().describe("Default: POST with a body, else GET"),
    headers: ingressHeaders,
    body: z.unknown().optional().describe("Sent as JSON"),
    requests: z
      .int()
      .min(1)
      .max(1000)
      .optional()
      .describe(`Requests in one look. ${otherwise(own.requests)}`),
    allowed: z
      .int()
      .min(0)
      .optional()
      .describe(`How many of them may be wrong. ${otherwise(own.allowed)}`),
    insecure: anyCertificate,
    expect: z
      .strictObject({
        status: z
          .int()
          .min(100)
          .max(599)
          .optional()
          .describe(`HTTP status. ${otherwise(own.status)}`),
        json: z
          .strictObject({
            path: text("Dot-separated path into the JSON answer, for example outputs.0.data.0"),
            value: z.unknown().optional().describe("What must be there. Default: anything but null"),
          })
          .optional()
          .describe("A value of the JSON answer. Default: not looked at"),
        latency: z
          .number()
          .positive()
          .optional()
          .describe("Seconds that an answer may take, for example 0.25. Default: as long as the time-out"),
      })
      .optional()
      .describe("What an answer must be like"),
  })
  .describe(
    "Requests through the ingress, one after the other. One of run, url, request, traffic, golden and smoke",
  );

/** A gate that asks the ingress. */
export interface RequestForm {
  readonly request: GateRequestConfig;
}

/** What it asks, resolved. */
export interface RequestSettings {
  readonly kind: "request";
  readonly request: GateRequest;
}

/**
 * Sends requests through the real ingress, one after the other, each on a connection of its own. Before the cut-over the preview
 * header leads them to the new release; after it they go where clients' do. Ends as soon as too many answers were wrong.
 */
const lookByRequests = lookWithoutMemory<RequestSettings>(async (io, { request }, subject, signal) => {
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
});

function requestOf(config: GateRequestConfig, timeoutMs: number): GateRequest {
  const { path, method, headers, body, requests, allowed, insecure, expect } = config;
  return {
    path,
    method: method ?? (body === undefined ? "GET" : "POST"),
    headers: headers ?? {},
    body,
    count: requests ?? own.requests,
    allowed: allowed ?? own.allowed,
    insecure: insecure ?? own.insecure,
    timeoutMs,
    expect: {
      status: expect?.status ?? own.status,
      json: expect?.json && { path: expect.json.path, value: expect.json.value },
      latencyMs: expect?.latency === undefined ? undefined : expect.latency * 1000,
    },
  };
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
    answer = parseExact(body);
  } catch {
    return "the answer is no JSON";
  }
  const found = jsonAt(answer, path);
  if (value === undefined) return found === undefined || found === null ? `nothing at ${path}` : undefined;
  if (isDeepStrictEqual(found, value)) return undefined;
  return `${path} is ${shown(found)} instead of ${shown(value)}`;
}

function shown(value: unknown): string {
  return value === undefined ? "not there" : asEvidence(writeExact(value)).slice(0, 100);
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

function problemsOf(gate: Fields, around: GateAround): ConfigProblem[] {
  const { request } = gate;
  if (!isFields(request)) return [];
  const problems: ConfigProblem[] = [];
  const { requests = own.requests, allowed } = request;
  if (typeof allowed === "number" && typeof requests === "number" && allowed >= requests) {
    const message = `${allowed} may be wrong of ${requests} requests, so that the gate could never fail; it must be less`;
    problems.push({ path: ["request", "allowed"], message });
  }
  return [...problems, ...ingressGateProblems("request", gate, around)];
}

export const requestGate: ConfigurableGate<RequestForm, RequestSettings> = {
  key: "request",
  schema: tied<RequestForm>()(z.object({ request })),
  timeout: own.timeout,
  settings: (form, timeoutMs) => ({ kind: "request", request: requestOf(form.request, timeoutMs) }),
  problems: problemsOf,
  look: lookByRequests,
};
