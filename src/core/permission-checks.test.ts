import { describe, expect, test } from "vitest";
import { objectNames } from "./names.ts";
import { describePermissions, grants, permissionsOf, resourceName } from "./permission-checks.ts";
import { optionalRows, requiredRows } from "./permissions.ts";

describe("the table of permissions", () => {
  test("names each resource once, so that a verb has one reason", () => {
    const keys = requiredRows.map(resourceName);
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("asks for no verb both as a need and as an option, but for lists of objects that are otherwise read by name", () => {
    const needed = permissionsOf(requiredRows, ["up", "switch", "destroy"], undefined);
    const optional = permissionsOf(optionalRows, ["up", "switch", "destroy", "doctor", "status"], undefined);
    const both = optional.filter((one) =>
      needed.some((other) => other.verb === one.verb && resourceName(other) === resourceName(one)),
    );
    expect(both).toEqual([]);
  });

  test("never asks for secrets, for wildcards, or for objects of other namespaces", () => {
    for (const { resource, group } of [...requiredRows, ...optionalRows]) {
      expect(resource).not.toMatch(/secrets|\*|exec|attach|impersonate/);
      expect(group).not.toBe("*");
    }
  });

  test("restricts by name what Kubernetes can restrict by name", () => {
    expect(permissionsOf(requiredRows, ["switch"], objectNames("fraud"))).toContainEqual({
      verb: "patch",
      group: "networking.k8s.io",
      resource: "ingresses",
      name: "fraud-canary",
    });
    expect(permissionsOf(requiredRows, ["up"], objectNames("fraud"))).toContainEqual({
      verb: "create",
      group: "apps",
      resource: "deployments",
    });
  });
});

describe("a rule", () => {
  const get = { verb: "get", group: "", resource: "pods/proxy" };
  test.each([
    [{ apiGroups: [""], resources: ["pods/proxy"], verbs: ["get"] }, get, true],
    [{ apiGroups: ["*"], resources: ["*"], verbs: ["*"] }, get, true],
    [{ apiGroups: [""], resources: ["*/proxy"], verbs: ["get"] }, get, true],
    [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }, get, false],
    [{ apiGroups: ["apps"], resources: ["pods/proxy"], verbs: ["get"] }, get, false],
    [{ apiGroups: [""], resources: ["pods/proxy"], verbs: ["list"] }, get, false],
    [{ apiGroups: [""], resources: ["pods/proxy"], verbs: ["get"], resourceNames: ["a"] }, get, false],
    [
      { apiGroups: [""], resources: ["pods/proxy"], verbs: ["get"], resourceNames: ["a"] },
      { ...get, name: "a" },
      true,
    ],
    [{}, get, false],
  ])("%j grants %j: %s", (rule, permission, expected) => {
    expect(grants(rule, permission)).toBe(expected);
  });
});

test("permissions are described by resource", () => {
  const some = permissionsOf(
    requiredRows.filter(({ resource }) => resource === "deployments"),
    ["up"],
    objectNames("fraud"),
  );
  expect(describePermissions(some)).toEqual([
    'get, create, patch deployments.apps "fraud-blue", "fraud-green"',
  ]);
});
