import { expect, test } from "vitest";
import { routerCapabilities } from "../../src/component/routers/capabilities.ts";
import { withinBinomial } from "../e2e/conformance/binomial.ts";
import { lackingFor, Matrix } from "../e2e/conformance/matrix.ts";

test("what was not tried, or failed, is a hole; what the capabilities exclude is none", () => {
  const matrix = new Matrix(["a", "b"], ["weights", "mirror", "long", "copies"]);
  matrix.set("a", "weights", { state: "passed" });
  matrix.set("b", "weights", { state: "failed" });
  matrix.set("a", "mirror", { state: "no", capability: "mirror" });
  matrix.set("a", "long", { state: "long" });
  matrix.set("b", "long", { state: "passed" });
  matrix.set("a", "copies", { state: "refused", lacking: "Mirror" });
  matrix.set("b", "copies", { state: "passed" });
  expect(matrix.holes()).toEqual(["b × weights: failed", "b × mirror: not tried"]);
  expect(matrix.toString()).toBe(
    [
      "         a                b",
      "weights  passed           FAILED",
      "mirror   no: mirror       NOT TRIED",
      "long     soak             passed",
      "copies   refused: Mirror  passed",
    ].join("\n"),
  );
  expect(() => matrix.set("c", "weights", { state: "passed" })).toThrow("no cell c × weights");
});

test("a case that needs a capability is explained by the one that is lacking", () => {
  expect(lackingFor(["weights", "header"], routerCapabilities.traefik)).toBeUndefined();
  expect(lackingFor(["weights", "commit"], routerCapabilities.traefik)).toBe("commit");
});

test("a share is told from another one by enough requests", () => {
  expect(withinBinomial(100, 400, 0.25)).toBe(true);
  expect(withinBinomial(57, 400, 0.25)).toBe(true);
  expect(withinBinomial(0, 400, 0.25)).toBe(false);
  expect(withinBinomial(200, 400, 0.25)).toBe(false);
  expect(withinBinomial(1, 400, 0)).toBe(false);
});
