import { describe, expect, test } from "vitest";
import { objectNames } from "../../core/names.ts";
import { routerNames } from "../../core/router-names.ts";
import { settledOn } from "../../core/routing.ts";
import { conformanceChecks } from "./conformance.ts";
import { routerNamed } from "./factory.ts";
import type { RouterInput } from "./router.ts";

/** What holds for every router, whichever there are: the same that `modelswitch router test` shows of a user's own. */
const anyInput: RouterInput = {
  model: "fraud",
  namespace: "ml",
  routing: settledOn("blue"),
  ingress: {
    host: "ml.example.com",
    className: "edge",
    path: "/fraud",
    also: [{ path: "/spam" }],
    gateway: { name: "edge", namespace: "gateways" },
  },
  previewHeader: "X-Modelswitch-Preview",
  testers: { header: { name: "X-Team", value: "fraud" } },
  servicePort: 80,
};

describe.each(routerNames)("the router %s", (name) => {
  const input: RouterInput = routerNamed(name).isForGrpc
    ? { ...anyInput, ingress: { host: "ml.example.com", protocol: "grpc", gateway: { name: "edge" } } }
    : anyInput;
  test.each(conformanceChecks)("$name", ({ problems }) => {
    expect(problems(routerNamed(name), input)).toEqual([]);
    // Names that do not derive from the model's, as after an adoption.
    const names = objectNames("fraud", {
      slots: { blue: { service: "old" }, green: { service: "fraud-next" } },
      ingress: "edge-of-fraud",
    });
    expect(problems(routerNamed(name), { ...input, names })).toEqual([]);
  });
});
