import { expect, test } from "vitest";
import { recognisedPreset } from "./recognise.ts";

const image = "seldonio/mlserver:1.7.1-sklearn";
const ready = "/v2/health/ready";

test.each([
  ["image, port and readiness path together", image, 8080, ready, {}, "mlserver"],
  ["its gRPC port, too", image, 8080, ready, { grpc: 8081 }, "mlserver"],
  ["no other gRPC port", image, 8080, ready, { grpc: 9000 }, undefined],
  ["no other port", image, 9000, ready, {}, undefined],
  ["no other path", image, 8080, "/ready", {}, undefined],
  ["no other image", "reg.io/fraud:1", 8080, ready, {}, undefined],
])("a preset is recognised by %s", (_what, name, port, path, otherPorts, preset) => {
  const container = { image: name, readinessProbe: { httpGet: { path } } };
  expect(recognisedPreset(container, { port, otherPorts }, "fraud")).toBe(preset);
});
