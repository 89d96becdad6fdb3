import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { modelNamePattern, objectNames, ownLabels, slotLabels } from "./names.ts";

/** What the API server accepts as the name of a Service (RFC 1035). */
const serviceName = /^(?=.{1,63}$)[a-z]([-a-z0-9]*[a-z0-9])?$/;

describe("objectNames", () => {
  test("gives valid and different names to everything of any valid model", () => {
    fc.assert(
      fc.property(fc.stringMatching(modelNamePattern), (model) => {
        const names = objectNames(model);
        const all = [
          names.service.blue,
          names.service.green,
          names.ingress,
          names.canaryIngress,
          names.shift,
          names.preview,
          names.union,
          names.record,
        ];
        expect(new Set(all).size).toBe(all.length);
        for (const name of all) expect(name).toMatch(serviceName);
        expect(names.deployment).toEqual(names.service);
      }),
    );
  });

  test("takes given names instead of derived ones, and names as they are", () => {
    const names = objectNames("fraud", {
      slots: { blue: { deployment: "server", service: "api" } },
      ingress: "web",
    });
    expect(names).toMatchObject({
      deployment: { blue: "server", green: "fraud-green" },
      service: { blue: "api", green: "fraud-green" },
      ingress: "web",
      canaryIngress: "fraud-canary",
    });
    expect(objectNames(names)).toBe(names);
  });

  test.each(["", "Fraud", "1fraud", "fraud-", "fraud_model", "a".repeat(53)])(
    "%j is no model name",
    (name) => {
      expect(name).not.toMatch(modelNamePattern);
    },
  );
});

test("slot labels and own labels never contradict each other", () => {
  const keys = [...Object.keys(slotLabels("fraud", "blue")), ...Object.keys(ownLabels("fraud"))];
  expect(new Set(keys).size).toBe(keys.length);
});
