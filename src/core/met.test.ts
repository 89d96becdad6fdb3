import { describe, expect, test } from "vitest";
import type { IdentityAnswer } from "./identity.ts";
import { isLasting, retryAfterMs, whatWasMet } from "./met.ts";

const about = { host: "h.test", protocol: "http", isLimited: false, now: 0 } as const;
const html = { "content-type": "text/html; charset=utf-8" };

function met(status: number, headers: Readonly<Record<string, string>> = {}, body = "", more = {}) {
  const answer: IdentityAnswer = { status, headers, body };
  return whatWasMet(answer, { ...about, ...more });
}

describe("what a proof met in place of an answer", () => {
  test.each<[string, ReturnType<typeof met>, string | undefined, RegExp?]>([
    ["a limit of requests", met(429), "limit", /^HTTP 429, too many requests$/],
    ["the wait that goes with it", met(429, { "retry-after": "3" }), "limit"],
    ["an overloaded gateway", met(503, { "retry-after": "120" }), "limit", /asks to wait 120 s/],
    ["ingress-nginx's limit-rps", met(503, {}, "", { isLimited: true }), "limit", /own limit/],
    ["no endpoints", met(503), "no-backend", /no server/],
    ["a server that is gone", met(502), "no-backend"],
    [
      "basic authentication",
      met(401, { "www-authenticate": 'Basic realm="m"' }),
      "credentials",
      /Basic realm="m"/,
    ],
    ["forward authentication", met(401), "credentials", /^HTTP 401, asks for credentials$/],
    ["an allow list", met(403, { server: "nginx" }), "forbidden", /server: nginx/],
    ["a firewall's rule", met(406), "forbidden"],
    ["a captive network", met(511), "login"],
    ["a redirect to https", met(308, { location: "https://h.test/v2/x" }), "https", /redirect to https$/],
    ["the same with a port", met(301, { location: "https://h.test:8443/v2/x" }), "https"],
    ["TLS only", met(400, {}, "<center>The plain HTTP request was sent to HTTPS port</center>"), "https"],
    ["an upgrade", met(426), "https"],
    [
      "a login elsewhere, without its tokens",
      met(302, { location: "https://sso.corp/authorize?client_id=1&state=secret" }),
      "login",
      /^(?!.*secret).*https:\/\/sso\.corp\/authorize$/,
    ],
    ["oauth2-proxy", met(302, { location: "/oauth2/start?rd=%2F" }), "login"],
    [
      "a slash that is missing",
      met(301, { location: "/v2/models/m/" }),
      "redirect",
      /http:\/\/h\.test\/v2\/models\/m\//,
    ],
    ["a move", met(301, { location: "http://other.test/" }), "redirect"],
    ["an answer that is no redirect", met(304, { location: "/x" }), undefined],
    ["a login page", met(200, html, '<form><input type="password"></form>'), "login", /a login page/],
    ["any page", met(200, {}, "<!DOCTYPE html><p>Welcome</p>"), "page"],
    ["Cloudflare's challenge", met(403, { ...html, "cf-mitigated": "challenge" }), "challenge", /Cloudflare/],
    ["the same, by its words", met(503, html, "<title>Just a moment...</title>"), "challenge"],
    ["AWS WAF's challenge", met(202, { "x-amzn-waf-action": "challenge" }), "challenge", /AWS WAF/],
    ["a captcha", met(405, html, "<div class=g-recaptcha>"), "challenge", /captcha/],
    ["no route", met(404, html, "<h1>404</h1>"), "missing"],
    ["a limit over gRPC", met(200, { "grpc-status": "8" }), "limit"],
    [
      "credentials over gRPC",
      met(200, { "grpc-status": "16", "grpc-message": "no token" }),
      "credentials",
      /no token/,
    ],
    ["a plain answer", met(200, { "content-type": "application/json" }, "{}"), undefined],
    ["the model's own error", met(500), undefined],
    ["a bad request", met(400, {}, "bad"), undefined],
  ])("%s", (_, found, kind, words = /./) => {
    expect(found?.kind).toBe(kind);
    if (found !== undefined) expect(found.why).toMatch(words);
  });

  test("what somebody in front says is shown without control characters, and shortened", () => {
    const why = met(401, { "www-authenticate": `Basic realm="\u001b[31m${"x".repeat(500)}"` })?.why ?? "";
    expect(why).not.toContain("\u001b");
    expect(why.length).toBeLessThan(200);
  });

  test("what a controller answers that has not learnt of an Ingress yet is not taken for lasting", () => {
    expect(isLasting("missing")).toBe(false);
    expect(isLasting("no-backend")).toBe(false);
    expect(isLasting("credentials")).toBe(true);
  });

  test.each([
    ["5", 5_000],
    ["0", 0],
    ["-3", 0],
    ["Mon, 30 Nov 2026 00:00:10 GMT", 10_000],
    ["Mon, 30 Nov 2026 00:00:00 GMT", 0],
    ["soon", undefined],
    ["", undefined],
    [undefined, undefined],
  ])("Retry-After %s is %s ms", (value, expected) => {
    expect(retryAfterMs(value, Date.parse("2026-11-30T00:00:00Z"))).toBe(expected);
  });
});
