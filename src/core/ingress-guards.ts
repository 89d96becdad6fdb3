/** Something that an Ingress's annotations put in front of the model. */
export interface IngressGuard {
  readonly annotation: string;
  readonly value: string;
  readonly kind: "limit" | "credentials" | "forbidden" | "https" | "redirect" | "unknown";
  /** What it does, in words. */
  readonly does: string;
}

const nginx = "nginx.ingress.kubernetes.io";

type Known = readonly [name: string, kind: IngressGuard["kind"], does: (value: string) => string];

const known: readonly Known[] = [
  [`${nginx}/limit-rps`, "limit", (value) => `at most ${value} requests a second of one address`],
  [`${nginx}/limit-rpm`, "limit", (value) => `at most ${value} requests a minute of one address`],
  [`${nginx}/limit-connections`, "limit", (value) => `at most ${value} connections of one address`],
  ["haproxy.org/rate-limit-requests", "limit", (value) => `at most ${value} requests in a period`],
  ["haproxy-ingress.github.io/limit-rps", "limit", (value) => `at most ${value} requests a second`],
  ["haproxy-ingress.github.io/limit-connections", "limit", (value) => `at most ${value} connections`],
  ["nginx.org/limit-req-rate", "limit", (value) => `at most ${value} of one address`],
  [`${nginx}/auth-type`, "credentials", (value) => `${value} authentication`],
  [`${nginx}/auth-url`, "credentials", (value) => `asks ${placeOf(value)} whether a request may pass`],
  [`${nginx}/auth-tls-secret`, "credentials", () => "clients need a certificate"],
  ["haproxy.org/auth-type", "credentials", (value) => `${value} authentication`],
  ["haproxy-ingress.github.io/auth-url", "credentials", (value) => `asks ${placeOf(value)}`],
  [
    "alb.ingress.kubernetes.io/auth-type",
    "credentials",
    (value) => (value === "none" ? "" : `a login (${value})`),
  ],
  [`${nginx}/whitelist-source-range`, "forbidden", (value) => `only from ${value}`],
  [`${nginx}/allowlist-source-range`, "forbidden", (value) => `only from ${value}`],
  [`${nginx}/denylist-source-range`, "forbidden", (value) => `not from ${value}`],
  [
    `${nginx}/enable-modsecurity`,
    "forbidden",
    (value) => (value === "true" ? "a web application firewall" : ""),
  ],
  ["haproxy.org/allow-list", "forbidden", (value) => `only from ${value}`],
  ["haproxy.org/whitelist", "forbidden", (value) => `only from ${value}`],
  ["alb.ingress.kubernetes.io/wafv2-acl-arn", "forbidden", () => "a web application firewall"],
  ["alb.ingress.kubernetes.io/inbound-cidrs", "forbidden", (value) => `only from ${value}`],
  ["appgw.ingress.kubernetes.io/waf-policy-for-path", "forbidden", () => "a web application firewall"],
  [`${nginx}/force-ssl-redirect`, "https", (value) => (value === "true" ? "redirects to https" : "")],
  ["haproxy.org/ssl-redirect", "https", (value) => (value === "true" ? "redirects to https" : "")],
  ["alb.ingress.kubernetes.io/ssl-redirect", "https", () => "redirects to https"],
  [
    "appgw.ingress.kubernetes.io/ssl-redirect",
    "https",
    (value) => (value === "true" ? "redirects to https" : ""),
  ],
  [`${nginx}/permanent-redirect`, "redirect", (value) => `redirects to ${placeOf(value)}`],
  [`${nginx}/temporal-redirect`, "redirect", (value) => `redirects to ${placeOf(value)}`],
  [
    "traefik.ingress.kubernetes.io/router.middlewares",
    "unknown",
    (value) => `the middlewares ${value}, which may limit, authenticate or rewrite`,
  ],
  ["konghq.com/plugins", "unknown", (value) => `the plugins ${value}, which may limit or authenticate`],
];

/** What stands in front of the model, by the annotations of its Ingress and whether it has certificates. Pure. */
export function ingressGuards(
  annotations: Readonly<Record<string, string>> = {},
  hasTls = false,
): readonly IngressGuard[] {
  const found = known.flatMap(([annotation, kind, does]): IngressGuard[] => {
    const value = annotations[annotation];
    const what = value === undefined ? "" : does(value);
    return value === undefined || what === "" ? [] : [{ annotation, value, kind, does: what }];
  });
  const redirect = annotations[`${nginx}/ssl-redirect`];
  // With certificates it is the default of ingress-nginx and of those who read its annotations.
  if (redirect === "true" && hasTls && !found.some(({ kind }) => kind === "https")) {
    const annotation = `${nginx}/ssl-redirect`;
    found.push({ annotation, value: redirect, kind: "https", does: "redirects to https" });
  }
  return found;
}

/** An address without what may be secret in it. */
function placeOf(url: string): string {
  return url.replace(/[?#].*$/s, "").replace(/\/\/[^/@\s]+@/, "//");
}
