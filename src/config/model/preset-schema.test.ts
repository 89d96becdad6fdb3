import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { triton } from "../../component/servers/triton.ts";
import { describePath } from "../parts/problem.ts";
import { configJsonSchema } from "../report/json-schema.ts";
import { resolveConfig } from "./resolve.ts";
import { configProblems, validateConfig } from "./validate.ts";

const config = (server: unknown) => ({
  name: "fraud",
  server,
  release: { image: "r/fraud:1" },
  ingress: { host: "fraud.example.com" },
});
const problems = (server: unknown) =>
  configProblems(config(server)).map(({ path, message }) => `${describePath(path)}: ${message}`);
const resolved = (server: unknown) =>
  resolveConfig(validateConfig(config(server), "f.yaml"), {
    file: "/p/f.yaml",
    kubeconfig: {},
    contextNamespace: undefined,
  }).server;

const forms = [
  { preset: "mlserver", parallelWorkers: 0 },
  { preset: "triton", modelName: "other", grpcPort: 9001, exitTimeoutSeconds: 60 },
  { preset: "vllm", shutdownTimeoutSeconds: 120 },
  { preset: "tensorflow-serving", restPort: 9501, metrics: true },
  { preset: "torchserve", identity: { path: "/v", from: { kind: "body" } } },
  { preset: "bentoml", keepAliveSeconds: 75, env: { A: "b" } },
  { preset: "ray-serve", metricsPort: 8080 },
  { preset: "fastapi", livenessPath: false, metricsPath: "/metrics", inProgressGauge: "busy" },
  { preset: "custom", port: 9000, otherPorts: { grpc: 9001 }, longestRequestSeconds: 5 },
];

describe("a preset with options", () => {
  test.each(forms)("%j is what the preset's function makes of it", (form) => {
    expect(problems(form)).toEqual([]);
    expect(resolved(form).name).toBe(form.preset);
  });

  test("the model's name is the default of its name inside the server", () => {
    expect(resolved({ preset: "triton", exitTimeoutSeconds: 60 })).toEqual(
      triton({ modelName: "fraud", exitTimeoutSeconds: 60 }),
    );
    expect(resolved({ preset: "triton", modelName: "other" })).toEqual(triton({ modelName: "other" }));
  });

  test.each([
    [{ preset: "tritn" }, /^server\.preset: "tritn" is none of mlserver, triton.*did you mean "triton"\?$/],
    [{ exitTimeoutSeconds: 60 }, /^server\.preset: is missing; choose one of mlserver, triton/],
    [
      { preset: "triton", exitTimeoutSecs: 60 },
      /^server\.exitTimeoutSecs: is an unknown key; did you mean "server\.exitTimeoutSeconds"\?$/,
    ],
    [{ preset: "vllm", modelName: "m" }, /^server\.modelName: is an unknown key/],
    [{ preset: "triton", grpcPort: 70000 }, /^server\.grpcPort: 70000 is too big; it must be at most 65535$/],
    [{ preset: "triton", grpcPort: "9001" }, /^server\.grpcPort: "9001" must be a number; write 9001$/],
    [
      { preset: "triton", grpcPort: 8000 },
      /^server: .*port "grpc" is 8000, but must be another port than that of "http"\.$/,
    ],
    [
      { preset: "custom", identity: { path: "/", from: { kind: "boby" } } },
      /^server\.identity\.from\.kind: "boby" is none of header, json, body; did you mean "body"\?$/,
    ],
  ])("%j: %s", (form, message) => {
    const [only, ...others] = problems(form);
    expect(only).toMatch(message);
    expect(others).toEqual([]);
  });

  test("what a function returned is not taken for one", () => {
    const [first] = problems({ ...triton({ modelName: "m" }), httpPorts: 1, env: 3 });
    expect(first).toMatch(/^server\.(env|httpPorts)/);
  });

  test("is in the published schema, one preset's options not being another's", () => {
    const check = new Ajv2020({ strict: false }).compile(configJsonSchema());
    for (const form of forms) expect(check(config(form)), JSON.stringify(form)).toBe(true);
    expect(check(config({ preset: "vllm", modelName: "m" }))).toBe(false);
    expect(check(config({ preset: "triton", grpcPort: "${env:PORT:-9001}" }))).toBe(true);
    const published = readFileSync(new URL("../../../docs/modelswitch.schema.json", import.meta.url), "utf8");
    expect(published).toContain("exitTimeoutSeconds");
  });
});
