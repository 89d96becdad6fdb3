import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test } from "vitest";
import { setAmbientCluster } from "../kubernetes/ambient.ts";
import { awaited, kubeconfigFromConfig, kubeconfigGiven, providerFromConfig } from "./provider.ts";

let inputs: Record<string, unknown> | undefined;

beforeEach(async () => {
  inputs = undefined;
  pulumi.runtime.setAllConfig({});
  await pulumi.runtime.setMocks({
    call: (args) => args.inputs,
    newResource: (args) => {
      inputs = args.inputs;
      return { id: "id", state: args.inputs };
    },
  });
});

describe("providerFromConfig", () => {
  test("is the ambient provider without a configured kubeconfig", () => {
    expect(providerFromConfig()).toBeUndefined();
  });

  test("is an explicit provider with the configured kubeconfig and context, kept secret", async () => {
    pulumi.runtime.setAllConfig({ "kubernetes:kubeconfig": "apiVersion: v1", "kubernetes:context": "prod" });
    const provider = providerFromConfig("elsewhere");
    if (provider === undefined) throw new Error("no provider");
    await awaited(provider.id);
    expect(JSON.stringify(inputs)).toContain("apiVersion: v1");
    expect(inputs).toMatchObject({ context: "prod" });
  });
});

describe("the guard's cluster", () => {
  test("is that of the configuration", async () => {
    pulumi.runtime.setAllConfig({
      "kubernetes:kubeconfig": "apiVersion: v1\n",
      "kubernetes:context": "prod",
    });
    expect(await kubeconfigFromConfig()).toEqual({ contents: "apiVersion: v1\n", context: "prod" });
  });

  test("is the ambient one without configuration", async () => {
    expect(await kubeconfigFromConfig()).toEqual({});
  });

  test("is the one that was chosen for the ambient provider", async () => {
    const restore = setAmbientCluster({ path: "/chosen", context: "dev" });
    expect(await kubeconfigFromConfig()).toEqual({ path: "/chosen", context: "dev" });
    pulumi.runtime.setAllConfig({ "kubernetes:kubeconfig": "/configured" });
    expect(await kubeconfigFromConfig()).toEqual({ path: "/configured" });
    restore();
  });

  test.each([
    ["/home/me/.kube/config", { path: "/home/me/.kube/config" }],
    ["kubeconfig.yaml", { path: "kubeconfig.yaml" }],
    ['{"apiVersion":"v1"}', { contents: '{"apiVersion":"v1"}' }],
    ["apiVersion: v1\nkind: Config", { contents: "apiVersion: v1\nkind: Config" }],
  ])("takes %j for a path or for contents, as the provider does", (value, expected) => {
    expect(kubeconfigGiven(value)).toEqual(expected);
  });
});
