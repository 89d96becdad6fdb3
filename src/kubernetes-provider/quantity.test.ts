import { expect, test } from "vitest";
import { canonicalQuantity } from "./quantity.ts";

test.each([
  ["1", "1"],
  ["1000m", "1"],
  ["0.5", "500m"],
  [".5", "500m"],
  ["1.5", "1500m"],
  ["100m", "100m"],
  ["0.0001", "100u"],
  ["2000", "2k"],
  ["1024Mi", "1Gi"],
  ["1.5Gi", "1536Mi"],
  ["0.5Gi", "512Mi"],
  ["1000Mi", "1000Mi"],
  ["512", "512"],
  ["0.5Ki", "512"],
  ["1e3", "1e3"],
  ["12E4", "120e3"],
  ["0", "0"],
  ["0Mi", "0"],
  ["-1.5", "-1500m"],
  ["1G", "1G"],
  ["1000M", "1G"],
  ["many", "many"],
  // As an API server of Kubernetes 1.36 does it.
  ["0050", "0050"],
  ["007k", "007k"],
  ["01Gi", "01Gi"],
  ["05000", "5k"],
  ["00.5", "500m"],
  ["00", "0"],
])("%s is given back as %s", (given, canonical) => {
  expect(canonicalQuantity(given)).toBe(canonical);
  expect(canonicalQuantity(canonical)).toBe(canonical);
});
