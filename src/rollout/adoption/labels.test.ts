import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ownLabels } from "../../core/names.ts";
import { otherSelector, selects } from "./labels.ts";

const key = fc.constantFrom("app", "version", "tier", "app.kubernetes.io/name", "app.kubernetes.io/instance");
const value = fc.constantFrom("fraud", "green", "blue", "v1", "", "a".repeat(63), "fraud-green");
const labels = fc.dictionary(key, value, { minKeys: 1 });
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/;

describe("otherSelector", () => {
  test("whatever the found selectors are, none of them takes green's pods, and green takes none of theirs", () => {
    fc.assert(
      fc.property(labels, labels, (service, deployment) => {
        const podLabels = { ...service, ...deployment, ...service };
        const green = otherSelector("fraud", "blue", [service, deployment], podLabels);
        const greenPods = { ...ownLabels("fraud"), ...green };
        expect(selects(service, greenPods)).toBe(false);
        expect(selects(deployment, greenPods)).toBe(false);
        expect(selects(green, podLabels)).toBe(false);
        for (const one of Object.values(green)) expect(one).toMatch(labelValue);
      }),
    );
  });

  test("keeps the usual labels where they do", () => {
    expect(
      otherSelector("fraud", "blue", [{ app: "fraud", version: "v1" }], { app: "fraud", version: "v1" }),
    ).toEqual({ app: "fraud", version: "green" });
  });

  test("contradicts the labels that charts select by, which modelswitch's own pods have too", () => {
    const chart = { "app.kubernetes.io/name": "fraud", "app.kubernetes.io/instance": "fraud" };
    expect(otherSelector("fraud", "blue", [chart], chart)).toEqual({
      app: "fraud",
      version: "green",
      "app.kubernetes.io/instance": "fraud-green",
    });
  });
});
