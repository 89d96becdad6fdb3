import type { HeaderSource } from "../../config/model/types.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { type KubernetesApi, KubernetesApiError } from "../../kubernetes/api.ts";
import { forbiddenError } from "../../kubernetes/forbidden.ts";
import type { Probe } from "./probe-request.ts";

type Headers = Readonly<Record<string, string>>;

export interface ProbeHeadersInput {
  readonly sources: Readonly<Record<string, HeaderSource>>;
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** How long reading a Secret may take: what is proved with it has been written, and waits. */
const readTimeoutMs = 5_000;
/** Texts that are shorter stand in answers by chance. */
const shortestSecret = 8;

/**
 * The headers that a proof sends beside its own. Their values are nowhere but in the requests: no record, state, event or message has them.
 * @throws UserError `probe-header-unusable` (exit code 2), `permission-denied`
 */
export async function readProbeHeaders(input: ProbeHeadersInput): Promise<Headers> {
  const entries = await Promise.all(
    Object.entries(input.sources).map(
      async ([name, source]) => [name, sendable(name, await headerValue(name, source, input))] as const,
    ),
  );
  return Object.fromEntries(entries);
}

async function headerValue(name: string, source: HeaderSource, input: ProbeHeadersInput): Promise<string> {
  if (typeof source === "string") return source;
  if ("env" in source) {
    const value = input.env[source.env];
    if (value !== undefined && value !== "") return value;
    throw unusable(
      name,
      `the environment variable ${source.env} is not set`,
      `Set ${source.env} where modelswitch runs.`,
    );
  }
  return await secretValue(name, source, input);
}

async function secretValue(
  name: string,
  { secret, key }: { readonly secret: string; readonly key: string },
  { api, namespace, signal }: ProbeHeadersInput,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/secrets/${secret}`;
  const found = await api.find(path, { signal, timeoutMs: readTimeoutMs }).catch((error: unknown) => {
    const denied = error instanceof KubernetesApiError ? forbiddenError(error.message) : undefined;
    throw denied ?? error;
  });
  if (found === undefined) {
    const remedy = `kubectl --namespace ${namespace} create secret generic ${secret} --from-literal=${key}=VALUE`;
    throw unusable(
      name,
      `there is no Secret ${secret} in the namespace ${namespace}`,
      `Create it: ${remedy}`,
    );
  }
  const data = (found.data ?? {}) as Readonly<Record<string, string>>;
  const value = data[key];
  if (value !== undefined) return Buffer.from(value, "base64").toString("utf8");
  const keys = Object.keys(data).join(", ") || "none";
  throw unusable(name, `the Secret ${secret} has no key ${key}`, `Its keys are: ${keys}.`);
}

function sendable(name: string, value: string): string {
  // Files and `echo` end with a line break that nobody means.
  const text = value.replace(/[\r\n]+$/, "");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: HTTP refuses them in headers
  if (text !== "" && !/[\u0000-\u0008\u000a-\u001f\u007f]|[^\u0000-\u00ff]/.test(text)) return text;
  throw unusable(
    name,
    text === "" ? "its value is empty" : "its value has characters that no header may have",
    'Give it one line of plain text, for example "Bearer TOKEN".',
  );
}

function unusable(name: string, why: string, hint: string): UserError {
  return new UserError({
    code: "probe-header-unusable",
    message: `The proof cannot send the header ${name} (ingress.probe.headers): ${why}.`,
    hint,
    exitCode: exitCodes.usage,
  });
}

/** The same probe with these headers; what a request has itself wins. Answers that say them again do so with `[hidden]`. */
export function probeWith(probe: Probe, read: () => Promise<Headers>, secretNames: readonly string[]): Probe {
  return async (request) => {
    const own = await read();
    const names = new Set(Object.keys(request.headers).map((name) => name.toLowerCase()));
    const added = Object.entries(own).filter(([name]) => !names.has(name.toLowerCase()));
    const headers = { ...Object.fromEntries(added), ...withCookies(request.headers, own) };
    const answer = await probe({ ...request, headers });
    const secrets = secretNames.flatMap((name) => partsOf(own[name] ?? ""));
    if (secrets.length === 0) return answer;
    const hide = (text: string) => secrets.reduce((shown, one) => shown.replaceAll(one, "[hidden]"), text);
    const answered = Object.entries(answer.headers).map(([name, value]) => [name, hide(value)] as const);
    return { ...answer, headers: Object.fromEntries(answered), body: hide(answer.body) };
  };
}

/** A request with a cookie of its own, a tester's for example, has those that it is let in by beside it. */
function withCookies(headers: Headers, own: Headers): Headers {
  const isCookie = ([name]: readonly [string, string]) => name.toLowerCase() === "cookie";
  const mine = Object.entries(headers).find(isCookie);
  const others = Object.entries(own).find(isCookie);
  return mine === undefined || others === undefined
    ? headers
    : { ...headers, [mine[0]]: `${mine[1]}; ${others[1]}` };
}

/** A value, and what follows the scheme in it. */
function partsOf(value: string): string[] {
  return [value, value.replace(/^\S+\s+/, "")].filter((part) => part.length >= shortestSecret);
}

/** Reads once what does not change while a command runs; what failed is read again, but not by every request. */
export function onceRead<T>(
  read: () => Promise<T>,
  now: () => number,
  againAfterMs = 2_000,
): () => Promise<T> {
  let last: { readonly result: Promise<T>; readonly failedAt: { ms: number | undefined } } | undefined;
  return () => {
    const failedMs = last?.failedAt.ms;
    if (last !== undefined && (failedMs === undefined || now() - failedMs < againAfterMs)) return last.result;
    const failedAt: { ms: number | undefined } = { ms: undefined };
    const result = read();
    result.catch(() => {
      failedAt.ms = now();
    });
    last = { result, failedAt };
    return result;
  };
}
