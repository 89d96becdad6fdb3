import { expect, test } from "vitest";
import { ambientCluster, setAmbientCluster } from "./ambient.ts";

test("the ambient cluster is the environment's until another one is named, and again afterwards", () => {
  expect(ambientCluster()).toEqual({});
  const restoreOuter = setAmbientCluster({ context: "outer" });
  const restoreInner = setAmbientCluster({ context: "inner" });
  expect(ambientCluster()).toEqual({ context: "inner" });
  restoreInner();
  expect(ambientCluster()).toEqual({ context: "outer" });
  restoreOuter();
  expect(ambientCluster()).toEqual({});
});
