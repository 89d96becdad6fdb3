import { expect, test } from "vitest";
import type { Claim } from "../../core/ingress-claims.ts";
import { sharedHostVerdict } from "./shared-host.ts";

const claim = (relation: Claim["relation"]): Claim => ({
  ...{ namespace: "shop", name: "web", host: "a.io", path: "/", pathType: "Prefix", relation },
  wanted: { host: "a.io", path: "/", pathType: "Prefix" },
  className: "nginx",
  model: undefined,
});

test.each([
  ["failed", { claims: [claim("same")], sight: "cluster", exists: false }, "the Ingress shop/web has a.io/"],
  ["warning", { claims: [claim("same")], sight: "cluster", exists: true }, "the Ingress shop/web has a.io/"],
  [
    "warning",
    { claims: [claim("narrower")], sight: "namespace", exists: false },
    "only the namespace ml was looked at",
  ],
  ["ok", { claims: [claim("wider")], sight: "cluster", exists: false }, "no other Ingress"],
  ["ok", { claims: [], sight: "namespace", exists: false }, "only the namespace ml was looked at"],
  ["skipped", { claims: [], sight: "nothing", exists: false }, "may list no Ingresses"],
] as const)("%s: %o", (state, seen, part) => {
  const verdict = sharedHostVerdict(seen, "ml");
  expect(verdict.state).toBe(state);
  expect(verdict.detail).toContain(part);
});
