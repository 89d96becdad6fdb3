import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readKubeconfig, sourceOf } from "./kubeconfig.ts";
import { checkConfig, diffConfig } from "./provider-config.ts";
import { parseSettings } from "./settings.ts";
import { Secret, Unknown } from "./struct.ts";

const kubeconfig = (server: string, token = "t") =>
  JSON.stringify({
    clusters: [
      { name: "one", cluster: { server } },
      { name: "two", cluster: { server: "https://two" } },
    ],
    users: [{ name: "u", user: { token } }],
    contexts: [
      { name: "c", context: { cluster: "one", user: "u" } },
      { name: "d", context: { cluster: "two", user: "u" } },
    ],
    "current-context": "c",
  });

describe("diffConfig", () => {
  const olds = { kubeconfig: kubeconfig("https://one") };

  test("another cluster replaces everything in it", () => {
    expect(diffConfig(olds, { kubeconfig: kubeconfig("https://other") }).replaces).toEqual(["kubeconfig"]);
    expect(diffConfig(olds, { ...olds, context: "d" }).replaces).toEqual(["context"]);
    expect(diffConfig(olds, { ...olds, cluster: "two" }).replaces).toEqual(["cluster"]);
  });

  test("other credentials for the same cluster replace nothing", () => {
    const renewed = diffConfig(olds, { kubeconfig: kubeconfig("https://one", "renewed") });
    expect(renewed).toEqual({ changed: ["kubeconfig"], replaces: [] });
  });

  test("a kubeconfig that is not known yet may be another cluster", () => {
    expect(diffConfig(olds, { kubeconfig: new Unknown() }).replaces).toEqual(["kubeconfig"]);
  });

  test("a secret kubeconfig is compared like any other", () => {
    expect(diffConfig(olds, { kubeconfig: new Secret(kubeconfig("https://one")) }).changed).toEqual([]);
  });

  test("the same clusterIdentifier says that the cluster is the same, another one that it isn't", () => {
    const before = { ...olds, clusterIdentifier: "x" };
    const moved = { kubeconfig: kubeconfig("https://other"), clusterIdentifier: "x" };
    expect(diffConfig(before, moved).replaces).toEqual([]);
    expect(diffConfig(before, { ...before, clusterIdentifier: "y" }).replaces).toEqual(["clusterIdentifier"]);
  });
});

describe("checkConfig", () => {
  test("lets unknown arguments through, and refuses what only the official provider does", () => {
    expect(checkConfig("urn", { kubeconfig: "x", somethingNew: true })).toEqual([]);
    const [failure] = checkConfig("urn", { renderYamlToDirectory: "out" });
    expect(failure).toMatchObject({
      property: "renderYamlToDirectory",
      reason: expect.stringContaining("official"),
    });
  });
});

describe("the kubeconfig of a provider", () => {
  let folder = "";
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
    writeFileSync(join(folder, "config"), "apiVersion: v1");
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("is a path or the contents", () => {
    expect(readKubeconfig(join(folder, "config"))).toEqual({ path: join(folder, "config") });
    expect(readKubeconfig("apiVersion: v1")).toEqual({ contents: "apiVersion: v1" });
    expect(() => readKubeconfig(join(folder, "missing"))).toThrow(
      /neither a file that exists nor the contents/,
    );
  });

  test("wins over the ambient one, context included", () => {
    const settings = (entries: [string, string][]) => parseSettings(new Map(entries), {});
    const ambient = { path: "/ambient", context: "prod" };
    expect(sourceOf(settings([]), ambient, {})).toEqual(ambient);
    expect(sourceOf(settings([["kubernetes:config:context", "test"]]), ambient, {})).toEqual({
      path: "/ambient",
      context: "test",
    });
    const own = settings([["kubernetes:config:kubeconfig", "apiVersion: v1"]]);
    expect(sourceOf(own, ambient, {})).toEqual({ contents: "apiVersion: v1" });
    // What the SDK filled in from the environment is no choice.
    expect(sourceOf(own, ambient, { KUBECONFIG: "apiVersion: v1" })).toEqual(ambient);
  });
});

test("options come from the arguments, then from the environment", () => {
  const argument = new Map([["kubernetes:config:enableServerSideApply", "true"]]);
  const environment = { PULUMI_K8S_ENABLE_SERVER_SIDE_APPLY: "false" };
  expect(parseSettings(new Map(), {}).serverSideApply).toBe(true);
  expect(parseSettings(new Map(), environment).serverSideApply).toBe(false);
  expect(parseSettings(argument, environment).serverSideApply).toBe(true);
});
