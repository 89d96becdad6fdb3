import { describe, expect, test } from "vitest";
import { FakeCluster, json, refusal } from "../../../test/support/rollout-bench.ts";
import type { IngressSpec } from "../../core/model.ts";
import { objectNames } from "../../core/names.ts";
import { listIngresses, seeClaims, sharedHostNotes, strangersAre } from "./shared-hosts.ts";

const other = (host: string, path = "/", namespace = "shop") => ({
  metadata: { name: "web", namespace },
  spec: { ingressClassName: "nginx", rules: [{ host, http: { paths: [{ path, pathType: "Prefix" }] } }] },
});
const names = objectNames("fraud");
const ingress: IngressSpec = { host: "ml.acme.io" };
const signal = new AbortController().signal;
const everywhere = "/apis/networking.k8s.io/v1/ingresses";

/** A cluster whose Ingresses may be listed in these places. */
function cluster(objects: readonly object[], ...allowed: readonly string[]): FakeCluster {
  const api = new FakeCluster();
  api.intercept = ({ path }) => {
    if (!path.endsWith("/ingresses")) return undefined;
    return allowed.includes(path) ? json(200, { items: objects }) : refusal(403, "Forbidden");
  };
  return api;
}
const inNamespace = "/apis/networking.k8s.io/v1/namespaces/ml/ingresses";

const seen = (objects: readonly object[], wanted = ingress) =>
  seeClaims(cluster(objects, everywhere), "ml", wanted, names, signal);
const about = { model: "fraud", namespace: "ml", shareHost: false };

describe("Ingresses of others", () => {
  test.each([
    ["cluster", [everywhere, inNamespace]],
    ["namespace", [inNamespace]],
    ["nothing", []],
  ] as const)("are looked for in the %s, as far as the rights go", async (sight, allowed) => {
    expect((await listIngresses(cluster([other("a.io")], ...allowed), "ml", signal)).sight).toBe(sight);
  });

  test("an API server that fails is no missing right", async () => {
    const api = new FakeCluster();
    api.intercept = () => refusal(503, "Unavailable");
    await expect(listIngresses(api, "ml", signal)).rejects.toThrow("Unavailable");
  });
});

describe("a host and path that others have", () => {
  test("are not taken newly, but where somebody says so", async () => {
    const found = await seen([other("ml.acme.io")]);
    expect(() => sharedHostNotes(found, about, undefined)).toThrow(
      /Others have the host and path that fraud asks for.*\n {2}the Ingress shop\/web has ml\.acme\.io\/ \(Prefix\)/,
    );
    const [note] = sharedHostNotes(found, { ...about, shareHost: true }, undefined);
    expect(note?.code).toBe("host-shared");
  });

  test("are a warning for a model that has them already, and refused where it wants another one", async () => {
    const found = await seen([other("ml.acme.io")]);
    expect(sharedHostNotes(found, about, ingress).map(({ code }) => code)).toEqual(["host-shared"]);
    expect(() => sharedHostNotes(found, about, { host: "former.acme.io" })).toThrow(/host and path/);
    expect(() => sharedHostNotes(found, about, { host: "ml.acme.io", path: "/v1" })).toThrow(/host and path/);
  });

  test("among several hosts, each counts", async () => {
    const wanted = { ...ingress, also: [{ host: "two.acme.io" }] };
    const found = await seen([other("two.acme.io")], wanted);
    expect(() => sharedHostNotes(found, about, ingress)).toThrow(/shop\/web has two\.acme\.io/);
  });

  test("a path below, or a wildcard above, is said once and stops nothing", async () => {
    const found = await seen([other("ml.acme.io", "/docs"), other("*.acme.io")]);
    expect(sharedHostNotes(found, about, undefined).map(({ code }) => code)).toEqual(["host-overlaps"]);
    expect(sharedHostNotes(found, about, ingress)).toEqual([]);
  });

  test("what was not looked at is said", async () => {
    const found = await seeClaims(
      cluster([other("ml.acme.io", "/", "ml")], inNamespace),
      "ml",
      ingress,
      names,
      signal,
    );
    expect(() => sharedHostNotes(found, about, undefined)).toThrow(
      expect.objectContaining({ hint: expect.stringContaining("only the namespace ml was looked at") }),
    );
  });

  test("its own Ingresses are no others", async () => {
    const own = { ...other("ml.acme.io"), metadata: { name: "fraud", namespace: "ml" } };
    expect(await seen([own])).toMatchObject({ claims: [], exists: true });
    expect(sharedHostNotes(await seen([own]), about, undefined)).toEqual([]);
  });
});

describe("strangers at the ingress", () => {
  test("are named by the Ingress that leads to them; nobody waits for what cannot be listed", async () => {
    const named = await strangersAre(
      cluster([other("ml.acme.io")], everywhere),
      "ml",
      ingress,
      names,
      signal,
    );
    expect(named).toEqual(["the Ingress shop/web has ml.acme.io/ (Prefix)"]);
    const api = new FakeCluster();
    api.intercept = () => refusal(500, "Internal");
    expect(await strangersAre(api, "ml", ingress, names, signal)).toEqual([]);
  });
});
