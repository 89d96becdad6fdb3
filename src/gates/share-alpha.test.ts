import { expect, test } from "vitest";
import { resolveGates } from "../config/rollout/rollout-calls.ts";
import { withSharedAlpha } from "./share-alpha.ts";

test("gates that judge by statistics share one alpha, unless they say theirs", () => {
  const parity = { cases: "c.jsonl", path: "/x" };
  const gates = resolveGates({
    watchPods: false,
    gates: [
      { name: "a", parity },
      { name: "b", traffic: { metrics: ["http://127.0.0.1/metrics"] } },
      { name: "c", run: ["true"] },
    ],
  });
  expect(gates.map((gate) => ("alpha" in gate ? gate.alpha : undefined))).toEqual([0.025, 0.025, undefined]);
  const said = [{ parity: { ...parity, alpha: 0.01 } }, { traffic: {} }, { run: [] }];
  expect(withSharedAlpha(said, ["parity", "traffic"])).toEqual([
    { parity: { ...parity, alpha: 0.01 } },
    { traffic: { alpha: 0.025 } },
    { run: [] },
  ]);
});
