import { describe, expect, test } from "vitest";
import { custom } from "../../component/servers/custom.ts";
import { mlserver } from "../../component/servers/mlserver.ts";
import { resolveGates, smokePathOf } from "./default-gates.ts";
import { resolveRollout, withSteps } from "./rollout.ts";
import type { RolloutConfig } from "./rollout-types.ts";

const names = (rollout: RolloutConfig, smokePath?: string) =>
  resolveGates(rollout, { smokePath }).map(({ name, byDefault }) =>
    byDefault === true ? `(${name})` : name,
  );

describe("the gates that are there by themselves", () => {
  test("pods, clients' requests, and whether the model is ready where that can be asked", () => {
    expect(names({})).toEqual(["pods", "(traffic)"]);
    expect(names({}, "/v2/models/fraud")).toEqual(["pods", "(smoke)", "(traffic)"]);
  });

  test("beside those that somebody wrote, unless these are of the same kind", () => {
    const run = { name: "check", run: ["./check.sh"] } as const;
    expect(names({ gates: [run] })).toEqual(["pods", "(traffic)", "check"]);
    expect(names({ steps: "50%", gates: [{ name: "clients", traffic: {} }] })).toEqual(["pods", "clients"]);
    expect(names({ gates: [{ name: "ready", smoke: { path: "/v2/models/a" } }] }, "/v2/models/a")).toEqual([
      "pods",
      "(traffic)",
      "ready",
    ]);
    expect(names({ gates: [{ ...run, name: "traffic" }] })).toEqual([
      "pods",
      "(traffic, by default)",
      "traffic",
    ]);
  });

  test("can be switched off", () => {
    expect(names({ gates: [] }, "/v2/models/fraud")).toEqual(["pods"]);
    expect(names({ watchTraffic: false })).toEqual(["pods"]);
    expect(names({ watchPods: false, watchTraffic: false })).toEqual([]);
  });

  test("let a release go on with what they cannot show", () => {
    for (const gate of resolveGates({}, { smokePath: "/v2/models/fraud" }))
      if (gate.kind !== "pods") expect(gate).toMatchObject({ onInconclusive: "pass", byDefault: true });
  });
});

describe("one alpha for the release", () => {
  const alphas = (rollout: RolloutConfig) =>
    resolveGates(rollout).flatMap((gate) => ("alpha" in gate ? [[gate.name, gate.alpha]] : []));

  test("is shared by weight among the gates that judge by statistics", () => {
    expect(alphas({ steps: "50%", alpha: 0.02 })).toEqual([["traffic", 0.02]]);
    const gates = [
      { name: "a", traffic: { weight: 3 } },
      { name: "b", traffic: {} },
    ];
    const shared = alphas({ steps: "50%", alpha: 0.04, gates });
    expect(shared).toEqual([
      ["a", expect.closeTo(0.03, 12)],
      ["b", expect.closeTo(0.01, 12)],
    ]);
  });

  test("is shared anew where the command says other steps", () => {
    const rollout = withSteps(resolveRollout({ alpha: 0.01 }), "auto");
    expect(rollout).toMatchObject({ isAutomatic: true, steps: [] });
    expect(rollout.gates.find(({ kind }) => kind === "traffic")).toMatchObject({ alpha: 0.01 });
    const given = withSteps(rollout, { kind: "steps", steps: [{ weight: 5, holdMs: 0 }], holdAtEndMs: 1000 });
    expect(given).toMatchObject({ steps: [{ weight: 5 }], soakMs: 31_000 });
    expect(given.isAutomatic).toBeUndefined();
  });
});

describe("where a release is asked whether it is ready", () => {
  const ingress = { host: "a.example.com" };
  const server = mlserver({ modelName: "fraud" });

  test.each([
    [{ server, ingress, canPreview: true }, "/v2/models/fraud"],
    [{ server, ingress, canPreview: false }, undefined],
    [{ server: custom({}), ingress, canPreview: true }, undefined],
    [{ server, ingress: { ...ingress, protocol: "grpc" as const }, canPreview: true }, undefined],
    [{ server, ingress: { ...ingress, path: "/fraud" }, canPreview: true }, undefined],
  ])("%#", (about, path) => {
    expect(smokePathOf(about)).toBe(path);
  });
});
