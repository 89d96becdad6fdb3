import { describe, expect, test } from "vitest";
import { UserError } from "../core/errors.ts";
import type { LocalClusterStatus } from "../core/local-cluster.ts";
import { type ConfiguredCluster, contextNamespace, namedSource } from "./kubeconfig.ts";

const local = (name: string) => `/state/${name}/kubeconfig`;

interface World {
  readonly globals?: {
    readonly kubeconfigPath?: string;
    readonly context?: string;
    readonly cluster?: string;
  };
  readonly env?: Readonly<Record<string, string>>;
  readonly configured?: ConfiguredCluster;
  readonly files?: readonly string[];
  readonly running?: readonly string[];
}

const resolve = ({ globals = {}, env = {}, configured = {}, files = [], running = [] }: World) =>
  namedSource(
    { folder: "/models", kubeconfigPath: undefined, context: undefined, cluster: undefined, ...globals },
    env,
    configured,
    {
      exists: (path) => files.includes(path),
      localClusters: async () => ({
        list: async () => [...running],
        status: async (name): Promise<LocalClusterStatus> =>
          running.includes(name)
            ? {
                state: "running",
                components: [],
                cluster: {
                  name,
                  version: "v1.36.3",
                  kubeconfigPath: local(name),
                  kubectlPath: "/k",
                  ingressUrl: "http://x",
                },
              }
            : { state: "absent", components: [], cluster: undefined },
      }),
    },
  );

const everything: World = {
  globals: { kubeconfigPath: "k", context: "flag" },
  env: { KUBECONFIG: "/env/k", HOME: "/home/me" },
  configured: { kubeconfig: "/config/k", context: "configured" },
  files: ["/models/k", "/config/k", "/env/k", "/home/me/.kube/config"],
  running: ["default", "demo"],
};

describe("which cluster is meant", () => {
  test.each<[string, World, object]>([
    [
      "--kubeconfig before all else, relative to the folder",
      everything,
      { path: "/models/k", context: "flag" },
    ],
    [
      "the configuration's, with the option's context",
      { ...everything, globals: { context: "flag" } },
      { path: "/config/k", context: "flag" },
    ],
    ["the configuration's", { ...everything, globals: {} }, { path: "/config/k", context: "configured" }],
    ["KUBECONFIG", { ...everything, globals: {}, configured: {} }, {}],
    [
      "the configuration's context of KUBECONFIG",
      { ...everything, globals: {}, configured: { context: "c" } },
      { context: "c" },
    ],
    [
      "several files in KUBECONFIG, of which one is there",
      { env: { KUBECONFIG: ":/a::/b:", HOME: "/home/me" }, files: ["/b", "/home/me/.kube/config"] },
      {},
    ],
    [
      "~/.kube/config",
      { env: { HOME: "/home/me" }, files: ["/home/me/.kube/config"] },
      { path: "/home/me/.kube/config" },
    ],
    [
      "a pod's service account where KUBECONFIG names nothing that is there",
      {
        env: { KUBECONFIG: "/a", KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443" },
        files: ["/var/run/secrets/kubernetes.io/serviceaccount/token"],
      },
      {},
    ],
    [
      "the local cluster `default`",
      { env: { HOME: "/home/me" }, running: ["default"] },
      { path: local("default") },
    ],
    ["a local cluster by name", { ...everything, globals: { cluster: "demo" } }, { path: local("demo") }],
  ])("%s", async (_what, world, expected) => {
    expect(await resolve(world)).toEqual(expected);
  });

  test.each<[string, World, string, string]>([
    ["none at all", {}, "cluster-not-chosen", "no ~/.kube/config"],
    [
      "a context without a kubeconfig",
      { globals: { context: "c" }, running: ["default"] },
      "cluster-not-chosen",
      '"c"',
    ],
    ["another local cluster only", { running: ["demo"] }, "cluster-not-chosen", '"default"'],
    ["a file that is not there", { globals: { kubeconfigPath: "k" } }, "kubeconfig-missing", "/models/k"],
    [
      "a configured file that is not there",
      { configured: { kubeconfig: "/c" } },
      "kubeconfig-missing",
      "configuration file",
    ],
    ["KUBECONFIG that is not there", { env: { KUBECONFIG: "/x" } }, "kubeconfig-missing", "KUBECONFIG"],
    ["several that are not there", { env: { KUBECONFIG: "/x:/y" } }, "kubeconfig-missing", "/x, /y"],
    [
      "a local cluster that is not there",
      { globals: { cluster: "dmo" }, running: ["demo"] },
      "cluster-absent",
      'did you mean "demo"?',
    ],
    [
      "two clusters",
      { globals: { cluster: "demo", kubeconfigPath: "k" } },
      "kubeconfig-conflict",
      "--kubeconfig k",
    ],
    [
      "a cluster and a context",
      { globals: { cluster: "demo", context: "c" } },
      "kubeconfig-conflict",
      "--context c",
    ],
  ])("refused: %s", async (_what, world, code, part) => {
    const error: unknown = await resolve(world).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UserError);
    expect(error).toMatchObject({ code, exitCode: 2, message: expect.stringContaining(part) });
  });
});

describe("the namespace of a context", () => {
  const contents = JSON.stringify({
    "current-context": "a",
    clusters: [{ name: "c", cluster: { server: "https://c" } }],
    contexts: [
      { name: "a", context: { cluster: "c", namespace: "team" } },
      { name: "b", context: { cluster: "c" } },
    ],
  });

  test("is read from the kubeconfig", async () => {
    expect(await contextNamespace({ contents })).toBe("team");
    expect(await contextNamespace({ contents, context: "b" })).toBeUndefined();
    expect(await contextNamespace({ contents, context: "unknown" })).toBeUndefined();
    expect(await contextNamespace({ contents: "{" })).toBeUndefined();
    expect(await contextNamespace({ path: "/not/there" })).toBeUndefined();
  });
});

test("without the package of local clusters, nothing is chosen, and one that is named says how it is had", async () => {
  const missing = new UserError({ code: "local-cluster-missing", message: "not installed", exitCode: 2 });
  const chosen = (cluster: string | undefined) =>
    namedSource(
      { folder: "/m", kubeconfigPath: undefined, context: undefined, cluster },
      {},
      {},
      {
        exists: () => false,
        localClusters: () => Promise.reject(missing),
      },
    );
  await expect(chosen(undefined)).rejects.toMatchObject({ code: "cluster-not-chosen" });
  await expect(chosen("demo")).rejects.toBe(missing);
});
