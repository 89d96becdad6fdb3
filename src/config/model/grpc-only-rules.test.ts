import { describe, expect, test } from "vitest";
import { describePath } from "../parts/problem.ts";
import { configProblems } from "./validate.ts";

const grpcOnly = {
  method: "inference.GRPCInferenceService/ModelMetadata",
  from: { kind: "field", path: "2" },
};
const good = {
  name: "fraud",
  server: { preset: "custom", port: 9000, grpcOnly },
  release: { image: "fraud:1", mark: "1" },
  ingress: { host: "models.acme.io", protocol: "grpc" },
};
const lines = (changes: object) =>
  configProblems({ ...good, ...changes }).map(({ path, message }) => `${describePath(path)}: ${message}`);

describe("a server without HTTP", () => {
  test("needs gRPC up to the ingress, and a mark in each release", () => {
    expect(lines({})).toEqual([]);
    expect(lines({ ingress: { host: "models.acme.io" } })).toEqual([
      expect.stringContaining('ingress.protocol: must be "grpc"'),
    ]);
    expect(lines({ release: { image: "fraud:1" } })).toEqual([
      expect.stringContaining("release.mark: is missing"),
    ]);
    const slots = { blue: { image: "fraud:1" }, green: { image: "fraud:2", mark: "2" } };
    expect(lines({ release: undefined, slots })).toEqual([
      expect.stringContaining("slots.blue.mark: is missing"),
    ]);
  });

  test("cannot be asked anything over HTTP", () => {
    expect(lines({ rollout: { warmUp: { path: "/predict" } } })).toEqual([
      expect.stringContaining("rollout.warmUp: asks over HTTP"),
    ]);
    expect(lines({ identity: { path: "/version", from: { kind: "body" } } })).toEqual([
      expect.stringContaining("identity: asks over HTTP"),
    ]);
  });

  test("a mark is nothing for servers that can be asked", () => {
    expect(lines({ server: "mlserver", ingress: { host: "models.acme.io" } })).toEqual([
      expect.stringContaining("release.mark: is only for model servers without HTTP"),
    ]);
  });
});
