import { Agent, EnvHttpProxyAgent, request } from "undici";
import { isLoopback } from "../core/urls.ts";
import type { Send } from "./io.ts";

const largestAnswer = 64 * 1024;

/**
 * The real sender, on a connection of its own, through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name; never for this
 * machine. Redirects are not followed, certificates are verified.
 */
export function sender(env: Readonly<Record<string, string | undefined>>): Send {
  return async ({ method = "POST", url, headers, body, largest = largestAnswer, timeoutMs, signal }) => {
    // Loaded late: not every command calls somebody.
    const dispatcher = isLoopback(new URL(url).hostname) ? new Agent() : new EnvHttpProxyAgent(proxies(env));
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const answer = await request(url, {
        method,
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          "user-agent": "modelswitch",
          ...headers,
        },
        ...(body === undefined ? {} : { body }),
        dispatcher,
        headersTimeout: 0,
        bodyTimeout: 0,
        signal: AbortSignal.any([signal, deadline]),
      });
      let text = "";
      answer.body.setEncoding("utf8");
      for await (const chunk of answer.body) {
        text += chunk;
        if (text.length > largest) break;
      }
      const truncated = text.length > largest;
      return { status: answer.statusCode, body: text.slice(0, largest), ...(truncated ? { truncated } : {}) };
    } catch (error) {
      if (deadline.aborted && !signal.aborted) {
        throw new Error(`no answer within ${timeoutMs / 1000} s`, { cause: error });
      }
      throw new Error(whyNot(error), { cause: error });
    } finally {
      await dispatcher.destroy();
    }
  };
}

function proxies(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const pick = (name: string) => env[name.toLowerCase()] ?? env[name] ?? "";
  // An empty value keeps the agent from looking at the environment of this process.
  return { httpProxy: pick("HTTP_PROXY"), httpsProxy: pick("HTTPS_PROXY"), noProxy: pick("NO_PROXY") };
}

/** The reason without the address: its path may be a secret. */
function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return "no answer";
  const inner = error instanceof AggregateError ? (error.errors[0] as unknown) : error;
  const code = inner instanceof Error && "code" in inner ? String(inner.code) : undefined;
  return code === undefined ? `no answer: ${error.name}` : `no answer: ${describeCode(code)}`;
}

function describeCode(code: string): string {
  const words: Readonly<Record<string, string>> = {
    ECONNREFUSED: "nothing listens there",
    ECONNRESET: "the connection was cut",
    UND_ERR_SOCKET: "the connection was cut",
    ENOTFOUND: "the name is not known",
    EAI_AGAIN: "the name service does not answer",
    ETIMEDOUT: "nobody answers",
    UND_ERR_CONNECT_TIMEOUT: "nobody answers",
  };
  return words[code] ?? code;
}
