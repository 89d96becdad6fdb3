import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { chooseProvider, failureMemory, findProviderPlugin, type ProviderWorld, serves } from "./provider.ts";

function world(more: Partial<ProviderWorld> = {}) {
  const calls: string[] = [];
  const made: ProviderWorld = {
    clock: { now: () => 1_000_000, sleep: async () => {} },
    installed: async () => undefined,
    reachable: async () => calls.push("reachable") > 0,
    download: async () => {
      calls.push("download");
      return undefined;
    },
    build: async () => {
      calls.push("build");
      return { folder: "/cache/provider", version: "v4.25.0" };
    },
    lastFailure: async () => undefined,
    rememberFailure: async (failure) => {
      calls.push(failure === undefined ? "forget" : `remember ${failure.reason}`);
    },
    ...more,
  };
  return { made, calls };
}

describe("the choice of the Kubernetes provider", () => {
  test("takes it where it is installed, without asking the network", async () => {
    const { made, calls } = world({ installed: async () => "/plugins/k" });
    expect(await chooseProvider(made)).toEqual({ reason: "installed: /plugins/k" });
    expect(calls).toEqual([]);
  });

  test("takes it where it can be downloaded", async () => {
    const { made, calls } = world();
    expect(await chooseProvider(made)).toEqual({ reason: "downloaded" });
    expect(calls).toEqual(["reachable", "download", "forget"]);
  });

  test("takes it built where downloads are not reached; that is remembered", async () => {
    const { made, calls } = world({ reachable: async () => false });
    expect(await chooseProvider(made)).toEqual({
      reason: "built, version v4.25.0: get.pulumi.com does not answer",
      folder: "/cache/provider",
    });
    expect(calls).toEqual(["remember get.pulumi.com does not answer", "build"]);
  });

  test("does not try to download again soon after a failure", async () => {
    const { made, calls } = world({ lastFailure: async () => ({ at: 900_000, reason: "no route" }) });
    expect(await chooseProvider(made)).toMatchObject({ folder: "/cache/provider" });
    expect(calls).toEqual(["build"]);
  });

  test("is an error where it can neither be downloaded nor built, which is tried again by the next command", async () => {
    const { made, calls } = world({
      download: async () => "404",
      build: async () => ({ problem: "there is no go on PATH" }),
    });
    await expect(chooseProvider(made)).rejects.toMatchObject({
      code: "provider-unavailable",
      message: expect.stringMatching(/\(404\).*no go on PATH/),
      hint: expect.stringContaining("pulumi plugin install resource kubernetes 4.34.2"),
    });
    expect(calls).toEqual(["reachable", "remember 404"]);
  });

  test("tries again later, and forgets the failure when it works", async () => {
    const { made, calls } = world({ lastFailure: async () => ({ at: -1_000_000, reason: "no route" }) });
    expect((await chooseProvider(made)).reason).toBe("downloaded");
    expect(calls).toEqual(["reachable", "download", "forget"]);
  });
});

test.each([
  ["4.34.2", true],
  ["4.35.0", true],
  ["4.34.1", false],
  ["5.0.0", false],
  ["3.99.0", false],
])("an installed %s serves for 4.34.2: %s", (version, expected) => {
  expect(serves(version, "4.34.2")).toBe(expected);
});

test("an installed plug-in is found, a half-downloaded one is not", async () => {
  const home = mkdtempSync(join(tmpdir(), "pulumi-home-"));
  try {
    const folder = join(home, "plugins", "resource-kubernetes-v4.34.2");
    mkdirSync(folder, { recursive: true });
    const program = join(folder, "pulumi-resource-kubernetes");
    writeFileSync(program, "");
    chmodSync(program, 0o755);
    expect(await findProviderPlugin(home, { PATH: "" })).toBe(program);
    expect(await findProviderPlugin(join(home, "other"), { PATH: folder })).toBe(program);
    writeFileSync(`${folder}.partial`, "");
    expect(await findProviderPlugin(home, { PATH: "" })).toBeUndefined();
  } finally {
    rmSync(home, { recursive: true });
  }
});

test("a failed download is remembered in the cache", async () => {
  const cache = mkdtempSync(join(tmpdir(), "cache-"));
  try {
    const memory = failureMemory(cache);
    expect(await memory.lastFailure()).toBeUndefined();
    await memory.rememberFailure({ at: 5, reason: "no route" });
    expect(await memory.lastFailure()).toEqual({ at: 5, reason: "no route" });
    await memory.rememberFailure(undefined);
    expect(await memory.lastFailure()).toBeUndefined();
  } finally {
    rmSync(cache, { recursive: true });
  }
});
