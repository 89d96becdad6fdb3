import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import type { Dispatcher } from "undici";
import { interrupted } from "../core/errors.ts";
import type { ToolContext } from "./source.ts";

/** Deadlines of one download. */
export interface DownloadTimes {
  /** An offline machine must fail fast. @default 3000 */
  readonly connectMs?: number;
  /** The longest silence of a server. @default 30 000 */
  readonly silenceMs?: number;
  /** @default 30 minutes */
  readonly totalMs?: number;
}

/** A file of a release, and where its published checksum is. */
export interface ReleaseFile {
  readonly url: string;
  /** A file with lines `SHA256  NAME`, or with a checksum alone. */
  readonly checksumUrl: string;
  /** Where to put it. */
  readonly target: string;
}

/** A server that can't be reached is not asked twice; one that cuts the connection is asked once more. */
const attemptsPerFile = 2;

/**
 * Downloads files over HTTPS, through the proxy that HTTPS_PROXY and NO_PROXY name, and compares each with its published
 * SHA-256. Rejects with one sentence that says what went wrong; files that are not verified are never complete.
 */
export async function downloadVerified(
  files: readonly ReleaseFile[],
  context: ToolContext,
  times: DownloadTimes = {},
): Promise<void> {
  const { EnvHttpProxyAgent, interceptors } = await import("undici");
  const { connectMs = 3_000, silenceMs = 30_000, totalMs = 30 * 60_000 } = times;
  const { env } = context;
  const agent = new EnvHttpProxyAgent({
    ...proxySettings(env),
    connect: { timeout: connectMs },
    proxyTls: { timeout: connectMs },
    headersTimeout: silenceMs,
    bodyTimeout: silenceMs,
  });
  const stop = new AbortController();
  const deadline = AbortSignal.timeout(totalMs);
  const signal = AbortSignal.any([context.signal, stop.signal, deadline]);
  const client = { dispatcher: agent.compose(interceptors.redirect({ maxRedirections: 5 })), signal };
  const sizes = new Map<string, { done: number; total: number }>();
  const report = () => {
    const all = [...sizes.values()];
    const total = all.reduce((sum, one) => sum + one.total, 0);
    const done = all.reduce((sum, one) => sum + one.done, 0);
    // Before every size is known, a total would be too small.
    const known = sizes.size === files.length && all.every((one) => one.total > 0);
    context.progress({
      detail: `downloading from ${new URL(files[0]?.url ?? "").host}`,
      ...(known ? { progress: { done, total, unit: "bytes" } } : {}),
    });
  };
  try {
    const checksums = new Map<string, Promise<string>>();
    const checksumText = (url: string) => {
      const text = checksums.get(url) ?? fetchText(url, client);
      checksums.set(url, text);
      return text;
    };
    await Promise.all(
      files.map(async (file) => {
        const expected = findChecksum(await checksumText(file.checksumUrl), nameIn(file.url));
        if (expected === undefined) {
          throw new Error(`${file.checksumUrl} has no checksum of ${nameIn(file.url)}`);
        }
        const actual = await fetchFile(file, client, (done, total) => {
          sizes.set(file.url, { done, total });
          report();
        });
        if (actual !== expected) {
          throw new Error(
            `${file.url} has the SHA-256 ${actual}, and ${file.checksumUrl} says ${expected}: it was not used`,
          );
        }
      }),
    );
  } catch (error) {
    stop.abort();
    if (context.signal.aborted) throw interrupted("A download");
    if (deadline.aborted) throw new Error(`the download took longer than ${totalMs / 60_000} minutes`);
    throw error;
  } finally {
    await agent.destroy();
  }
}

/** The SHA-256 of a file in a published list, or the only one in a file that holds nothing else. */
export function findChecksum(text: string, name: string): string | undefined {
  for (const line of text.split("\n")) {
    const match = /^([0-9a-f]{64})(?:\s+\*?(?:\.\/)?(\S+))?\s*$/i.exec(line.trim());
    if (match?.[1] === undefined) continue;
    if (match[2] === undefined || match[2].split("/").at(-1) === name) return match[1].toLowerCase();
  }
  return undefined;
}

interface Client {
  readonly dispatcher: Dispatcher;
  readonly signal: AbortSignal;
}

function proxySettings(env: ToolContext["env"]): Record<string, string> {
  const pick = (name: string) => env[name.toLowerCase()] ?? env[name] ?? "";
  // An empty value keeps the agent from looking at the environment of this process.
  return {
    httpProxy: pick("HTTP_PROXY"),
    httpsProxy: pick("HTTPS_PROXY"),
    noProxy: pick("NO_PROXY"),
  };
}

async function fetchText(url: string, client: Client): Promise<string> {
  return attempt(url, client, async (body) => {
    body.setEncoding("utf8");
    let text = "";
    for await (const chunk of body) text += chunk;
    return text;
  });
}

async function fetchFile(
  file: ReleaseFile,
  client: Client,
  onProgress: (done: number, total: number) => void,
): Promise<string> {
  return attempt(file.url, client, async (body, total) => {
    const hash = createHash("sha256");
    let done = 0;
    onProgress(0, total);
    await pipeline(
      body,
      async function* (chunks) {
        for await (const chunk of chunks) {
          hash.update(chunk);
          done += chunk.length;
          onProgress(done, total);
          yield chunk;
        }
      },
      createWriteStream(file.target),
      { signal: client.signal },
    );
    return hash.digest("hex");
  });
}

type Body = Dispatcher.ResponseData["body"];

async function attempt<T>(
  url: string,
  { dispatcher, signal }: Client,
  read: (body: Body, total: number) => Promise<T>,
): Promise<T> {
  const { request } = await import("undici");
  for (let number = 1; ; number += 1) {
    let answered = false;
    try {
      const { statusCode, headers, body } = await request(url, { dispatcher, signal });
      if (statusCode !== 200) {
        body.destroy();
        throw new Error(`HTTP status ${statusCode}`);
      }
      answered = true;
      return await read(body, Number(headers["content-length"] ?? 0));
    } catch (error) {
      if (signal.aborted || !answered || number >= attemptsPerFile) {
        throw new Error(`${url}: ${reasonOf(error)}`, { cause: error });
      }
    }
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const inner = error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
  const code = "code" in inner && typeof inner.code === "string" ? inner.code : "";
  switch (code) {
    case "UND_ERR_CONNECT_TIMEOUT":
      return "no connection within the time allowed (is this machine offline, or behind a proxy?)";
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return "the host name can't be resolved (is this machine offline, or behind a proxy?)";
    case "UND_ERR_SOCKET":
      return `the connection was cut (${inner.message})`;
    default:
      return inner.message;
  }
}

function nameIn(url: string): string {
  return decodeURIComponent(new URL(url).pathname.split("/").at(-1) ?? "");
}
