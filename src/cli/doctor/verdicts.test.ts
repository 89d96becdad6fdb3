import { describe, expect, test } from "vitest";
import { nginx } from "../../component/routers/nginx.ts";
import { custom } from "../../component/servers/custom.ts";
import { mlserver } from "../../component/servers/mlserver.ts";
import { objectNames } from "../../core/names.ts";
import { optionalRows } from "../../core/optional-permissions.ts";
import { permissionsOf } from "../../core/permission-checks.ts";
import { requiredRows } from "../../core/permissions.ts";
import type { Verdict } from "./check.ts";
import {
  dnsVerdict,
  hostVerdict,
  identityVerdict,
  imagesVerdict,
  ingressClassVerdict,
  localClusterVerdict,
  namespaceVerdict,
  nodeVerdict,
  permissionsVerdict,
  pulumiVerdict,
  versionVerdict,
} from "./verdicts.ts";

const text = (verdict: Verdict) => `${verdict.state}: ${verdict.detail} ${verdict.hint ?? ""}`;

test.each([
  ["22.18.0", "failed"],
  ["20.20.2", "failed"],
  ["22.19.0", "ok"],
  ["24.1.0", "ok"],
])("Node.js %s is %s", (version, state) => {
  expect(nodeVerdict(version).state).toBe(state);
});

test.each([
  ["v1.29.9", "failed"],
  ["v1.30.0", "ok"],
  ["v1.36.3", "ok"],
  ["v1.31.2-gke.100", "ok"],
  ["v2.0.0", "ok"],
  ["", "warning"],
])("Kubernetes %s is %s", (version, state) => {
  expect(versionVerdict("https://k", version).state).toBe(state);
});

test("missing permissions are listed by resource", () => {
  const all = { reading: [], writing: [], engine: [], optional: [] };
  expect(permissionsVerdict("ml", all).state).toBe("ok");
  expect(permissionsVerdict("ml", undefined).state).toBe("skipped");
  const patch = permissionsOf(requiredRows(nginx.rights), ["switch"], objectNames("fraud")).filter(
    ({ verb }) => verb === "patch",
  );
  const mayLook = permissionsVerdict("ml", { ...all, writing: patch });
  expect(mayLook.state).toBe("warning");
  expect(mayLook.detail).toContain('patch ingresses.networking.k8s.io "fraud", "fraud-canary"');
  const endpoints = [{ verb: "list", group: "", resource: "endpoints" }];
  const goesBack = permissionsVerdict("ml", { ...all, engine: endpoints });
  expect(goesBack.state).toBe("warning");
  expect(goesBack.detail).toContain("take traffic back (rollback, abort), but run no Pulumi");
  expect(goesBack.detail).toContain("list endpoints");
  const get = permissionsOf(requiredRows(nginx.rights), ["status"], objectNames("fraud")).filter(
    ({ resource }) => resource === "services",
  );
  const blind = permissionsVerdict("ml", { ...all, reading: get, writing: patch });
  expect(blind.state).toBe("failed");
  expect(blind.detail).toContain('get services "fraud-blue", "fraud-green"; patch ingresses');
  expect(text(blind)).toContain("modelswitch rbac");
});

test("what is optional and missing is said, and no failure", () => {
  const optional = optionalRows(nginx).filter(({ resource }) => resource === "pods/log");
  const verdict = permissionsVerdict("ml", { reading: [], writing: [], engine: [], optional });
  expect(verdict).toMatchObject({ state: "ok" });
  expect(verdict.detail).toContain("errors name the state of the pod only");
});

test("a namespace that may not be looked at is no failure", () => {
  expect(namespaceVerdict("ml", "there").state).toBe("ok");
  expect(namespaceVerdict("ml", "forbidden").state).toBe("skipped");
  expect(text(namespaceVerdict("ml", "missing"))).toContain("modelswitch up --create-namespace");
});

describe("the IngressClass", () => {
  const nginx = { name: "nginx", controller: "k8s.io/ingress-nginx", labels: {}, endpoint: undefined };
  const traefik = {
    name: "traefik",
    controller: "traefik.io/ingress-controller",
    labels: {},
    endpoint: undefined,
  };

  test("is there", () => {
    expect(ingressClassVerdict("traefik", [nginx, traefik], []).state).toBe("ok");
    expect(ingressClassVerdict("nginx", [nginx], []).state).toBe("ok");
    expect(ingressClassVerdict("nginx", [nginx], undefined).state).toBe("ok");
  });

  test("is missing: the nearest and all are named", () => {
    expect(text(ingressClassVerdict("ngnix", [nginx, traefik], []))).toMatch(
      /^failed.*did you mean "nginx".*nginx, traefik/,
    );
    expect(text(ingressClassVerdict("nginx", [], []))).toContain("Install an ingress controller");
  });

  test("is served by the retired ingress-nginx: Traefik is recommended", () => {
    const labelled = { ...nginx, labels: { "app.kubernetes.io/part-of": "ingress-nginx" } };
    for (const verdict of [
      ingressClassVerdict("nginx", [labelled], undefined),
      ingressClassVerdict("nginx", [nginx], ["ingress-nginx/controller-1"]),
    ]) {
      expect(text(verdict)).toMatch(/^warning.*retired in March 2026.*Traefik 3\.7/);
    }
  });
});

test.each([
  ["mlmodels.example.com", "warning"],
  ["example.org", "warning"],
  ["fraud.test", "warning"],
  ["fraud.localhost", "warning"],
  ["notexample.com", "ok"],
  ["models.acme.io", "ok"],
])("the host %s is %s", (host, state) => {
  expect(hostVerdict(host).state).toBe(state);
});

describe("DNS", () => {
  const facts = { host: "models.acme.io", endpoints: [] };
  const none = { problem: "ENOTFOUND" };
  test.each<[string, Parameters<typeof dnsVerdict>[0], Verdict["state"], string]>([
    [
      "points at the Ingress",
      { ...facts, resolved: { addresses: ["1.2.3.4"] }, ingress: ["1.2.3.4", "5.6.7.8"] },
      "ok",
      "where the Ingress is",
    ],
    [
      "points elsewhere",
      { ...facts, resolved: { addresses: ["9.9.9.9"] }, ingress: ["1.2.3.4"] },
      "failed",
      "Point the DNS entry of models.acme.io at 1.2.3.4",
    ],
    [
      "points elsewhere in part",
      { ...facts, resolved: { addresses: ["9.9.9.9", "1.2.3.4"] }, ingress: ["1.2.3.4"] },
      "warning",
      "9.9.9.9 leads elsewhere",
    ],
    [
      "is missing",
      { ...facts, resolved: none, ingress: ["1.2.3.4"] },
      "failed",
      "Add a DNS entry for models.acme.io that points at 1.2.3.4",
    ],
    [
      "is missing before the first up",
      { ...facts, resolved: none, ingress: undefined },
      "warning",
      "modelswitch up",
    ],
    [
      "is there before the first up",
      { ...facts, resolved: { addresses: ["1.2.3.4"] }, ingress: undefined },
      "skipped",
      "no Ingress yet",
    ],
    [
      "the Ingress has no address",
      { ...facts, resolved: none, ingress: [] },
      "warning",
      "publish its address",
    ],
    [
      "the Ingress has no address, but endpoints are named",
      { ...facts, endpoints: ["http://127.0.0.1:80"], resolved: none, ingress: [] },
      "warning",
      "http://127.0.0.1:80",
    ],
    [
      "an example domain",
      { ...facts, host: "a.example.com", resolved: none, ingress: ["1.2.3.4"] },
      "skipped",
      "example domain",
    ],
  ])("%s", (_what, input, state, part) => {
    const verdict = dnsVerdict(input);
    expect(verdict.state).toBe(state);
    expect(text(verdict)).toContain(part);
  });
});

describe("images", () => {
  const template = (image: string) =>
    imagesVerdict({ runs: { form: "template", release: { image }, idleReplicas: 0 } });
  test.each([
    ["fraud:1.4", "ok"],
    ["localhost:5000/fraud:1.4", "ok"],
    [`fraud@sha256:${"a".repeat(64)}`, "ok"],
    ["fraud", "warning"],
    ["localhost:5000/fraud", "warning"],
    ["fraud:latest", "warning"],
  ])("%s is %s", (image, state) => {
    expect(template(image).state).toBe(state);
  });

  test("slots may name none, but not only one", () => {
    const runs = (blue: object, green: object) =>
      imagesVerdict({ runs: { form: "slots", slots: { blue, green } } });
    expect(runs({}, {}).state).toBe("ok");
    expect(runs({ image: "a:1" }, { image: "a:2" }).state).toBe("ok");
    expect(runs({ image: "a:1" }, {}).state).toBe("warning");
  });
});

test("slots that cannot be told apart are a failure that says how to mend it", () => {
  expect(identityVerdict({ server: mlserver({ modelName: "fraud" }), identity: undefined }).state).toBe("ok");
  expect(
    identityVerdict({ server: custom(), identity: { path: "/v", from: { kind: "header", name: "X" } } })
      .state,
  ).toBe("ok");
  expect(text(identityVerdict({ server: custom(), identity: undefined }))).toMatch(/^failed.*Set identity/);
});

test("the local cluster needs what it needs, and the rest only where nothing can be downloaded", () => {
  const host = { platform: "linux", userId: 0, refusal: undefined };
  const machine = { programs: ["ip", "nsenter", "go", "apt-get"], host };
  expect(localClusterVerdict(machine).state).toBe("ok");
  expect(localClusterVerdict({ ...machine, programs: ["ip", "nsenter"] }).state).toBe("warning");
  const refusal = { message: "The local cluster needs root.", hint: "Use sudo." };
  expect(text(localClusterVerdict({ ...machine, host: { ...host, refusal } }))).toBe(
    "failed: The local cluster needs root. Use sudo.",
  );
  expect(text(localClusterVerdict({ ...machine, host: undefined }))).toMatch(
    /^warning.*npm install @modelswitch\/local-cluster/,
  );
});

test("Pulumi is found, or it is said how it is had", () => {
  const facts = { sources: ["a", "b"], goInstalled: false };
  expect(pulumiVerdict({ ...facts, found: { path: "/p", version: "v3", origin: "path" } }).state).toBe("ok");
  expect(text(pulumiVerdict({ ...facts, found: undefined }))).toMatch(
    /^warning.*a, else b.*install the Pulumi CLI or Go/,
  );
});
