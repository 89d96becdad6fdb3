import { describe, expect, test } from "vitest";
import type { AdoptedModel } from "../core/model.ts";
import { adoptedLabels, adopting } from "./adopted.ts";

const model = (changes: Partial<AdoptedModel> = {}): AdoptedModel => ({
  slot: "blue",
  phase: "keep",
  templateKept: true,
  deployment: { labels: { team: "risk" }, annotations: { note: "x" }, selector: { app: "f", tier: "ml" } },
  service: { labels: {}, annotations: {} },
  ingress: { labels: { team: "risk" }, annotations: {} },
  ...changes,
});

test("found labels win, but for the one that says who manages", () => {
  const own = { app: "fraud", "app.kubernetes.io/managed-by": "modelswitch" };
  expect(adoptedLabels({ app: "old", "app.kubernetes.io/managed-by": "Helm" }, own)).toEqual({
    app: "old",
    "app.kubernetes.io/managed-by": "modelswitch",
  });
});

describe("adopting", () => {
  test("a model that adopted nothing is declared as ever", () => {
    const none = adopting(undefined, "ml");
    expect(none.options("blue", "deployment", "f")).toEqual({});
    expect(none.ingressOptions("f")).toEqual({});
    expect(none.metadata("blue", "service", { a: "1" })).toEqual({});
    expect(none.ingressLabels({ a: "1" })).toEqual({ a: "1" });
  });

  test("the other slot is declared as ever", () => {
    expect(adopting(model(), "ml").options("green", "deployment", "f")).toEqual({});
  });

  test("an import takes everything as it is, by its id", () => {
    expect(adopting(model({ phase: "import" }), "ml").options("blue", "service", "api")).toEqual({
      import: "ml/api",
      ignoreChanges: ["metadata", "spec"],
    });
  });

  test("what is given back stays in the cluster when its stack is destroyed", () => {
    const about = adopting(model({ phase: "give-back" }), "ml");
    expect(about.ingressOptions("fraud")).toMatchObject({ retainOnDelete: true });
  });

  test("while the found pods run, only their number is declared", () => {
    const { ignoreChanges } = adopting(model(), "ml").options("blue", "deployment", "f");
    expect(ignoreChanges).toContain("spec.template");
    expect(ignoreChanges).not.toContain("spec.replicas");
    const later = adopting(model({ templateKept: false }), "ml").options("blue", "deployment", "f");
    expect(later.ignoreChanges).toEqual([]);
  });

  test("an autoscaler is taken over where one was found, and then wholly declared", () => {
    const scaled = (phase: AdoptedModel["phase"]) =>
      adopting(model({ phase, autoscaler: { labels: { team: "risk" }, annotations: {} } }), "ml");
    expect(scaled("import").options("blue", "autoscaler", "scale")).toMatchObject({ import: "ml/scale" });
    expect(scaled("give-back").options("blue", "autoscaler", "scale")).toMatchObject({
      retainOnDelete: true,
    });
    expect(scaled("keep").options("blue", "autoscaler", "scale").ignoreChanges).toEqual([]);
    expect(scaled("keep").metadata("blue", "autoscaler", { app: "fraud" }).labels).toEqual({
      app: "fraud",
      team: "risk",
    });
    for (const phase of ["import", "keep"] as const)
      expect(adopting(model({ phase }), "ml").options("blue", "autoscaler", "scale")).toEqual({});
  });

  test("a Service keeps its selector and address for good, its ports until a later release", () => {
    expect(adopting(model(), "ml").options("blue", "service", "f").ignoreChanges).toEqual(["spec"]);
    const later = adopting(model({ templateKept: false }), "ml").options(
      "blue",
      "service",
      "f",
    ).ignoreChanges;
    expect(later).toContain("spec.selector");
    expect(later).toContain("spec.type");
    expect(later).not.toContain("spec.ports");
  });

  test("later releases have the labels of the Deployment's own selector, which cannot change", () => {
    const spec = {
      selector: { matchLabels: { app: "f" } },
      template: { metadata: { labels: { app: "f" } }, spec: { containers: [] } },
    };
    expect(adopting(model(), "ml").deploymentSpec("blue", spec)).toMatchObject({
      selector: { matchLabels: { app: "f", tier: "ml" } },
      template: { metadata: { labels: { app: "f", tier: "ml" } } },
    });
    expect(adopting(model(), "ml").deploymentSpec("green", spec)).toBe(spec);
  });
});
