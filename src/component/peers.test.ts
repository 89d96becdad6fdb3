import { expect, test } from "vitest";
import { withOwnPeers } from "./peers.ts";

const apart = (app: string) => ({
  affinity: {
    podAntiAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "host", labelSelector: { matchLabels: { app } } },
        {
          topologyKey: "zone",
          labelSelector: { matchExpressions: [{ key: "app", operator: "In", values: [app, "x"] }] },
        },
      ],
    },
    podAffinity: {
      requiredDuringSchedulingIgnoredDuringExecution: [
        { topologyKey: "host", labelSelector: { matchLabels: { app: "cache" } } },
      ],
    },
  },
  topologySpreadConstraints: [
    { topologyKey: "zone", maxSkew: 1, whenUnsatisfiable: "x", labelSelector: { matchLabels: { app } } },
  ],
});
const spec = (app: string, rules: object) => ({
  selector: { matchLabels: { app: "fraud-green", version: "green" } },
  template: { metadata: { labels: { app } }, spec: { containers: [], ...rules } },
});

test("rules about pods of the same kind are about the slot's own; those about others stay", () => {
  const green = withOwnPeers(spec("fraud", apart("fraud")), { app: "fraud", tier: "ml" });
  expect(green).toEqual(spec("fraud", apart("fraud-green")));
});

test("without such rules nothing changes", () => {
  const plain = spec("fraud", {});
  expect(withOwnPeers(plain, { app: "fraud" })).toBe(plain);
});
