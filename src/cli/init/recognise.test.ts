import { expect, test } from "vitest";
import { recognisedPreset } from "./recognise.ts";

const found = (image: string, httpPort: number, path: string) => ({
  httpPort,
  container: { image, readinessProbe: { httpGet: { path } } },
});

test("a preset is recognised by image, port and readiness path together", () => {
  const image = "seldonio/mlserver:1.7.1-sklearn";
  expect(recognisedPreset(found(image, 8080, "/v2/health/ready"), "fraud")).toBe("mlserver");
  expect(recognisedPreset(found(image, 9000, "/v2/health/ready"), "fraud")).toBeUndefined();
  expect(recognisedPreset(found(image, 8080, "/ready"), "fraud")).toBeUndefined();
  expect(recognisedPreset(found("reg.io/fraud:1", 8080, "/v2/health/ready"), "fraud")).toBeUndefined();
});
