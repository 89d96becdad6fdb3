import { expect, test } from "vitest";
import { FakeCluster } from "../../test/support/rollout-bench.ts";
import type { KubernetesObject } from "./api.ts";
import { fieldOwners } from "./managed-fields.ts";
import { appliers, applyOwned, ownedBy } from "./owned-fields.ts";

const own = {
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
      { manager: "argocd", operation: "Apply", fieldsV1: { "f:spec": { "f:tls": {} } } },
      own,
      { manager: "traefik", operation: "Update", subresource: "status" },
      { manager: "controller", operation: "Apply", subresource: "status", fieldsV1: {} },
    ],
  },
  spec: { ingressClassName: "nginx", rules: [{ host: "a" }], tls: [{ secretName: "theirs" }] },
  status: { loadBalancer: {} },
};
const ofPulumi = {
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: {
    name: "fraud-canary",
    namespace: "ml",
    annotations: { weight: "0" },
    labels: { app: "fraud" },
  },
  spec: { ingressClassName: "nginx", rules: [{ host: "a" }] },
};

test("an owner's part of an object is all that it applied, and nothing of others", () => {
  const owner = fieldOwners({ metadata: { managedFields: [own] } })[0];
  expect(owner && ownedBy(ingress, owner)).toEqual(ofPulumi);
});

test("only those who applied the object itself count", () => {
  expect(appliers(ingress).map(({ manager }) => manager)).toEqual(["argocd", "pulumi-kubernetes-1"]);
});

const path = "/apis/networking.k8s.io/v1/namespaces/ml/ingresses/fraud-canary";
const signal = new AbortController().signal;

async function sent(live: KubernetesObject | undefined) {
  const cluster = new FakeCluster();
  const change = (owned: KubernetesObject | undefined) => ({ ...owned, spec: { changed: true } });
  await applyOwned(cluster, { path, live, manager: "modelswitch", change, signal });
  return cluster.requests.at(-1);
}

test("a change goes out in Pulumi's name, with everything that Pulumi applied", async () => {
  expect(await sent(ingress)).toMatchObject({
    query: { fieldManager: "pulumi-kubernetes-1", force: true },
    body: { ...ofPulumi, spec: { changed: true } },
  });
});

test("without Pulumi's, in the name of the first who applied it", async () => {
  const managedFields = [{ ...own, manager: "argocd" }];
  const live = { ...ingress, metadata: { ...ingress.metadata, managedFields } };
  expect(await sent(live)).toMatchObject({ query: { fieldManager: "argocd" }, body: { kind: "Ingress" } });
});

test.each([undefined, { ...ingress, metadata: { name: "fraud-canary" } }])(
  "what nobody applied gets an owner for what changes alone: %j",
  async (live) => {
    expect(await sent(live)).toMatchObject({
      query: { fieldManager: "modelswitch" },
      body: { spec: { changed: true } },
    });
  },
);
