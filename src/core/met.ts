import type { IdentityAnswer } from "./identity.ts";
import { printable } from "./printable.ts";

/** What a request through the ingress met in place of an answer of the model. */
export interface Met {
  readonly kind: MetKind;
  /** What was seen, for example `HTTP 401, asks for credentials (Basic realm="models")`. */
  readonly why: string;
  /** When it may be asked again, by its own words. */
  readonly retryAfterMs?: number;
}

/**
 * `limit`, `challenge`: too many requests for somebody, so that it says nothing of the routing. The others do not change by waiting, but
 * for `missing` and `no-backend`, which a controller also answers that has not yet learnt what was written.
 */
export type MetKind =
  | "limit"
  | "challenge"
  | "credentials"
  | "forbidden"
  | "https"
  | "login"
  | "redirect"
  | "page"
  | "missing"
  | "no-backend";

export interface MetAbout {
  /** The host that was asked for. */
  readonly host: string;
  readonly protocol: "http" | "https";
  /** The Ingress has a limit of its own: some controllers answer those above it with 503. */
  readonly isLimited: boolean;
  readonly now: number;
}

/** Whether it is there for good: waiting does not change it. Pure. */
export function isLasting(kind: MetKind): boolean {
  return ["credentials", "forbidden", "https", "login", "redirect", "page"].includes(kind);
}

/** What an answer without an identity says of who gave it; `undefined`: nothing in particular. Pure. */
export function whatWasMet(answer: IdentityAnswer, about: MetAbout): Met | undefined {
  const challenge = challengeOf(answer);
  if (challenge !== undefined) {
    return { kind: "challenge", why: `HTTP ${answer.status}, a challenge for browsers (${challenge})` };
  }
  return (
    overGrpc(answer) ?? limited(answer, about) ?? barred(answer) ?? redirected(answer, about) ?? other(answer)
  );
}

function limited({ status, headers }: IdentityAnswer, { isLimited, now }: MetAbout): Met | undefined {
  const wait = retryAfterMs(headers["retry-after"], now);
  const asks = wait === undefined ? {} : { retryAfterMs: wait };
  const words = wait === undefined ? "" : `, asks to wait ${Math.ceil(wait / 1000)} s`;
  if (status === 429) return { kind: "limit", why: "HTTP 429, too many requests", ...asks };
  if (status !== 503) return undefined;
  if (wait !== undefined) return { kind: "limit", why: `HTTP 503${words}`, ...asks };
  return isLimited ? { kind: "limit", why: "HTTP 503, as the Ingress's own limit answers" } : undefined;
}

function barred({ status, headers, body }: IdentityAnswer): Met | undefined {
  const by = named(headers);
  switch (status) {
    case 401: {
      const scheme = short(headers["www-authenticate"] ?? "");
      return {
        kind: "credentials",
        why: `HTTP 401, asks for credentials${scheme === "" ? "" : ` (${scheme})`}`,
      };
    }
    case 407:
    case 511:
      return { kind: "login", why: `HTTP ${status}, the network wants a login` };
    case 403:
      return { kind: "forbidden", why: `HTTP 403, refused${by}` };
    case 405:
    case 406:
    case 451:
      return { kind: "forbidden", why: `HTTP ${status}, refused${by}` };
    case 400:
    case 426:
      if (status === 426 || /plain HTTP request was sent to HTTPS/i.test(body)) {
        return { kind: "https", why: `HTTP ${status}, wants https` };
      }
      return undefined;
    default:
      return undefined;
  }
}

const loginWords =
  /log-?in|sign-?in|oauth|openid|\bsso\b|saml|\/auth(?:[/?]|$)|^https?:\/\/(?:auth|accounts?|idp?)\./i;

function redirected({ status, headers }: IdentityAnswer, { host, protocol }: MetAbout): Met | undefined {
  const { location } = headers;
  if (status < 300 || status > 399 || status === 304 || location === undefined) return undefined;
  const url = URL.canParse(location, `${protocol}://${host}`)
    ? new URL(location, `${protocol}://${host}`)
    : undefined;
  // What follows the path may be a token.
  const place = short(url === undefined ? "somewhere" : `${url.protocol}//${url.host}${url.pathname}`);
  if (url !== undefined && (loginWords.test(place) || url.searchParams.has("client_id"))) {
    return { kind: "login", why: `HTTP ${status}, a redirect to a login at ${place}` };
  }
  if (url?.protocol === "https:" && protocol === "http" && url.hostname === bare(host)) {
    return { kind: "https", why: `HTTP ${status}, a redirect to https` };
  }
  return { kind: "redirect", why: `HTTP ${status}, a redirect to ${place}` };
}

function other(answer: IdentityAnswer): Met | undefined {
  const { status, body } = answer;
  if (status === 404)
    return {
      kind: "missing",
      why: "HTTP 404 without an identity (no such route, or nothing there on the server)",
    };
  if (status === 503 || status === 502 || status === 504) {
    const words = { 502: "the server's answer is none", 503: "no server", 504: "no answer of the server" };
    return { kind: "no-backend", why: `HTTP ${status} without an identity (${words[status]})` };
  }
  if (status >= 200 && status <= 299 && isPage(answer)) {
    const isLogin = /type=["']?password|log-?in|sign-?in/i.test(body.slice(0, 20_000));
    return isLogin
      ? { kind: "login", why: `HTTP ${status}, a login page` }
      : { kind: "page", why: `HTTP ${status}, a page (HTML) and not the model's answer` };
  }
  return undefined;
}

/** Status codes of gRPC that say the same: https://github.com/grpc/grpc/blob/master/doc/statuscodes.md */
function overGrpc({ headers }: IdentityAnswer): Met | undefined {
  const said = short(headers["grpc-message"] ?? "");
  const words = said === "" ? "" : `: ${said}`;
  switch (headers["grpc-status"]) {
    case "8":
      return { kind: "limit", why: `gRPC status 8, too much at once${words}` };
    case "16":
      return { kind: "credentials", why: `gRPC status 16, asks for credentials${words}` };
    case "7":
      return { kind: "forbidden", why: `gRPC status 7, refused${words}` };
    default:
      return undefined;
  }
}

/** Whether an answer is an HTML document. */
export function isPage({ headers, body }: IdentityAnswer): boolean {
  return (
    /^text\/html|application\/xhtml/.test(headers["content-type"] ?? "") ||
    /^\s*(?:<!doctype html|<html)/i.test(body)
  );
}

function challengeOf({ status, headers, body }: IdentityAnswer): string | undefined {
  if (headers["cf-mitigated"] !== undefined) return "Cloudflare";
  if (headers["x-amzn-waf-action"] !== undefined) return "AWS WAF";
  if (status < 400 && status !== 202) return undefined;
  const start = body.slice(0, 20_000);
  if (/_Incapsula_Resource/.test(start)) return "Imperva";
  if (/<title>Just a moment\.\.\.|cf-browser-verification/i.test(start)) return "Cloudflare";
  return /g-recaptcha|hcaptcha|captcha/i.test(start) ? "a captcha" : undefined;
}

/** Who refuses, where the answer says so. */
function named(headers: IdentityAnswer["headers"]): string {
  const server = short(headers.server ?? "");
  return server === "" ? "" : ` (server: ${server})`;
}

function short(text: string): string {
  const plain = printable(text).replaceAll("\n", " ").trim();
  return plain.length > 120 ? `${plain.slice(0, 119)}…` : plain;
}

function bare(host: string): string {
  return host.replace(/:\d+$/, "");
}

/** Seconds, or a date. Pure. */
export function retryAfterMs(value: string | undefined, now: number): number | undefined {
  if (value === undefined || value.trim() === "") return undefined;
  const seconds = Number(value);
  if (Number.isFinite(seconds)) return Math.max(0, seconds * 1000);
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
