import { describe, expect, test } from "vitest";
import { testNamespace, testServer } from "../../../test/support/rollout-bench.ts";
import { UserError } from "../../core/errors.ts";
import type { Event } from "../../core/events.ts";
import type { ModelSpec } from "../../core/model.ts";
import { hidingErrors, hidingEvents, secretValues, withoutVariables } from "./hidden-values.ts";

const spec: ModelSpec = {
  name: "fraud",
  namespace: testNamespace,
  server: testServer(),
  slots: {
    blue: { image: "a", env: { API_TOKEN: "open sesame", LEVEL: "information", DB_PASSWORD: "abc" } },
    green: { image: "a", env: { API_TOKEN: "open sesame, again" } },
  },
  ingress: { host: "fraud.test" },
  router: "nginx",
  previewHeader: "X-Preview",
  identity: undefined,
  servicePort: 80,
};

describe("values of variables that may be secrets", () => {
  const secrets = secretValues(spec);

  test("are known by the names of the variables; words stay readable", () => {
    expect(secrets.toSorted()).toEqual(["open sesame", "open sesame, again"]);
  });

  test("are in no error, whoever quotes them", async () => {
    const refused = new UserError({
      code: "deployment-failed",
      message: 'denied: API_TOKEN is "open sesame, again"',
      details: { resources: [{ message: "open sesame" }] },
      cause: new Error("open sesame"),
    });
    const error = await hidingErrors(secrets, () => Promise.reject(refused)).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({
      code: "deployment-failed",
      message: 'denied: API_TOKEN is "[hidden]"',
      details: { resources: [{ message: "[hidden]" }] },
    });
    expect((error as UserError).cause).toBeUndefined();
    const other = new UserError({ code: "a", message: "another" });
    await expect(hidingErrors(secrets, () => Promise.reject(other))).rejects.toBe(other);
  });

  test("are in no event", () => {
    const seen: Event[] = [];
    const events = hidingEvents(
      (event) => seen.push(event),
      () => secrets,
    );
    events({ type: "warning", code: "pulumi-warning", message: "open sesame", hint: "no open sesame" });
    expect(seen).toEqual([
      { type: "warning", code: "pulumi-warning", message: "[hidden]", hint: "no [hidden]" },
    ]);
  });
});

test.each([
  ["spec.template.spec.containers[0].env[1].value", "sesame", "[hidden]"],
  [
    "spec.template.spec.containers[0].env[1]",
    { name: "A", value: "sesame" },
    { name: "A", value: "[hidden]" },
  ],
  ["spec.template.spec.containers[0].env", [{ name: "A", value: "x" }], [{ name: "A", value: "[hidden]" }]],
  [
    "spec.template.spec.containers[1]",
    { image: "a", env: [{ name: "A", value: "x" }] },
    { image: "a", env: [{ name: "A", value: "[hidden]" }] },
  ],
  ["spec.template.spec.containers[0].image", "fraud:1", "fraud:1"],
  ["spec.replicas", 2, 2],
])("a list of changes has no value of a variable: %s", (path, value, shown) => {
  const about = { operation: "update", urn: "", kind: "Deployment", name: "fraud-blue" } as const;
  const result = { same: 0, outputs: {}, durationMs: 0 };
  expect(
    withoutVariables({ ...result, changes: [{ ...about, properties: [{ path, after: value }] }] }).changes,
  ).toEqual([{ ...about, properties: [{ path, after: shown }] }]);
});
