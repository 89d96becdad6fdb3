import { expect, test } from "vitest";
import type { KubernetesObject } from "./api.ts";
import { appliers, type ManagedFields, ownedBy } from "./owned-fields.ts";

const own: ManagedFields = {
  manager: "pulumi-kubernetes-1",
  operation: "Apply",
  fieldsV1: {
    "f:metadata": { "f:annotations": { "f:weight": {}, "f:gone": {} }, "f:labels": { "f:app": {} } },
    "f:spec": { "f:ingressClassName": {}, "f:rules": {} },
  },
};
const ingress: KubernetesObject = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: {
    name: "fraud-canary",
    namespace: "ml",
    resourceVersion: "7",
    annotations: { weight: "0", theirs: "yes" },
    labels: { app: "fraud", theirs: "yes" },
    managedFields: [
      own,
      { manager: "traefik", operation: "Update", subresource: "status" },
      { manager: "controller", operation: "Apply", subresource: "status" },
    ],
  },
  spec: { ingressClassName: "nginx", rules: [{ host: "a" }], tls: [{ secretName: "theirs" }] },
  status: { loadBalancer: {} },
};

test("an owner's part of an object is all that it applied, and nothing of others", () => {
  expect(ownedBy(ingress, own)).toEqual({
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name: "fraud-canary",
      namespace: "ml",
      annotations: { weight: "0" },
      labels: { app: "fraud" },
    },
    spec: { ingressClassName: "nginx", rules: [{ host: "a" }] },
  });
});

test("only those who applied the object itself count", () => {
  expect(appliers(ingress)).toEqual([own]);
});

test("items of lists with keys are not guessed at", () => {
  const fieldsV1 = { "f:spec": { "f:ports": { 'k:{"port":80}': { ".": {} } } } };
  expect(ownedBy({ spec: { ports: [{ port: 80 }] } }, { fieldsV1 })).toBe(undefined);
});
