import { describe, expect, test } from "vitest";
import { nginx } from "../component/routers/nginx.ts";
import { objectNames } from "./names.ts";
import { optionalRows } from "./optional-permissions.ts";
import { describePermissions, grants, permissionsOf, resourceName } from "./permission-checks.ts";
import { requiredRows } from "./permissions.ts";

describe("the table of permissions", () => {
  test("names each verb of a resource once, so that it has one reason", () => {
    const keys = requiredRows(nginx.rights).flatMap((row) =>
      Object.keys(row.verbs).map((verb) => `${verb} ${resourceName(row)}`),
    );
    expect(new Set(keys).size).toBe(keys.length);
  });

  test("asks for no verb both as a need and as an option, but for objects of any name where the need is of one", () => {
    const commands = ["up", "switch", "destroy", "engine"] as const;
    const needed = permissionsOf(requiredRows(nginx.rights), commands, objectNames("fraud"));
    const inNamespace = optionalRows(nginx).filter(({ scope }) => scope === "namespace");
    const optional = permissionsOf(inNamespace, [...commands, "doctor", "status"], objectNames("fraud"));
    const both = optional.filter((one) =>
      needed.some(
        (other) =>
          other.verb === one.verb && resourceName(other) === resourceName(one) && other.name === one.name,
      ),
    );
    expect(both).toEqual([]);
  });

  test("lets Pulumi's provider look, and do nothing else", () => {
    const asked = permissionsOf(
      [...requiredRows(nginx.rights), ...optionalRows(nginx)],
      ["engine"],
      objectNames("fraud"),
    );
    expect(asked.filter(({ verb }) => verb !== "list")).toEqual([]);
    // It asks for all objects of the namespace: a right for one name is no right to that.
    expect(asked.filter(({ name }) => name !== undefined)).toEqual([]);
  });

  test("asks a way back for nothing that Pulumi needs", () => {
    const wayBack = permissionsOf(requiredRows(nginx.rights), ["switch"], objectNames("fraud"));
    expect(wayBack.filter(({ verb }) => verb === "list").map(resourceName)).toEqual([
      "replicasets.apps",
      "endpointslices.discovery.k8s.io",
      "pods",
    ]);
  });

  test("never asks for secrets, for wildcards, or for objects of other namespaces", () => {
    for (const { resource, group } of [...requiredRows(nginx.rights), ...optionalRows(nginx)]) {
      expect(resource).not.toMatch(/secrets|\*|exec|attach|impersonate/);
      expect(group).not.toBe("*");
    }
  });

  test("restricts by name what Kubernetes can restrict by name", () => {
    expect(permissionsOf(requiredRows(nginx.rights), ["switch"], objectNames("fraud"))).toContainEqual({
      verb: "patch",
      group: "networking.k8s.io",
      resource: "ingresses",
      name: "fraud-canary",
    });
    expect(permissionsOf(requiredRows(nginx.rights), ["up"], objectNames("fraud"))).toContainEqual({
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
    requiredRows(nginx.rights).filter(({ resource }) => resource === "deployments"),
    ["up"],
    objectNames("fraud"),
  );
  expect(describePermissions(some)).toEqual([
    'get, create, patch deployments.apps "fraud-blue", "fraud-green"',
  ]);
});
