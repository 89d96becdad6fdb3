import { describe, expect, test } from "vitest";
import { forbiddenError, parseForbidden } from "./forbidden.ts";

const account = "system:serviceaccount:ml:ci";

describe("a refusal of the authorizer", () => {
  test.each([
    [
      `deployments.apps "fraud-blue" is forbidden: User "${account}" cannot get resource "deployments" in API group "apps" in the namespace "ml"`,
      { verb: "get", group: "apps", resource: "deployments", name: "fraud-blue", namespace: "ml" },
    ],
    [
      `deployments.apps is forbidden: User "${account}" cannot create resource "deployments" in API group "apps" in the namespace "ml": RBAC: role.rbac.authorization.k8s.io "x" not found`,
      { verb: "create", group: "apps", resource: "deployments", namespace: "ml" },
    ],
    [
      `error: pods "a:8080" is forbidden: User "${account}" cannot get resource "pods/proxy" in API group "" in the namespace "ml"`,
      { verb: "get", group: "", resource: "pods/proxy", name: "a:8080", namespace: "ml" },
    ],
    [
      `namespaces is forbidden: User "${account}" cannot create resource "namespaces" in API group "" at the cluster scope`,
      { verb: "create", group: "", resource: "namespaces" },
    ],
  ])("%s", (message, expected) => {
    expect(parseForbidden(message)).toEqual({ ...expected, user: account });
  });

  test("is told from other refusals", () => {
    expect(parseForbidden('pods "a" is forbidden: exceeded quota: small, requested: pods=1')).toBe(undefined);
    expect(parseForbidden('pods "a" is forbidden: violates PodSecurity "restricted:latest"')).toBe(undefined);
  });

  test("becomes an error that says verb, resource, namespace and account, and what to do", () => {
    const error = forbiddenError(
      `ingresses.networking.k8s.io "fraud" is forbidden: User "${account}" cannot patch resource "ingresses" in API group "networking.k8s.io" in the namespace "ml"`,
    );
    expect(error).toMatchObject({
      code: "permission-denied",
      exitCode: 1,
      message: `The account ${account} may not patch ingresses.networking.k8s.io "fraud" in the namespace ml.`,
      details: { user: account, namespace: "ml" },
    });
    expect(error?.hint).toContain("docs/security.md");
  });

  test("of somebody without credentials speaks of these", () => {
    const error = forbiddenError(
      'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" in the namespace "ml"',
    );
    expect(error?.hint).toContain("log in again");
  });
});
