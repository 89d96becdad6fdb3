import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  chooseProvider,
  failureMemory,
  findOfficialProvider,
  type ProviderWorld,
  serves,
} from "./provider.ts";

function world(more: Partial<ProviderWorld> = {}) {
  const calls: string[] = [];
  const made: ProviderWorld = {
    clock: { now: () => 1_000_000, sleep: async () => {} },
    wish: undefined,
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
      const { reason, build } = failure ?? {};
      calls.push(reason === undefined ? "forget" : ["remember", reason, build].filter(Boolean).join(" "));
    },
    ...more,
  };
  return { made, calls };
}

describe("the choice of the Kubernetes provider", () => {
  test("is the official one where it is installed, without asking the network", async () => {
    const { made, calls } = world({ installed: async () => "/plugins/k" });
    expect(await chooseProvider(made)).toEqual({ kind: "official", reason: "installed: /plugins/k" });
    expect(calls).toEqual([]);
  });

  test("is the official one where it can be downloaded", async () => {
    const { made, calls } = world();
    expect(await chooseProvider(made)).toEqual({ kind: "official", reason: "downloaded" });
    expect(calls).toEqual(["reachable", "download", "forget"]);
  });

  test("is the official one, built, where downloads are not reached; that is remembered", async () => {
    const { made, calls } = world({ reachable: async () => false });
    expect(await chooseProvider(made)).toEqual({
      kind: "official",
      reason: "built, version v4.25.0: get.pulumi.com does not answer",
      folder: "/cache/provider",
    });
    expect(calls).toEqual(["build", "remember get.pulumi.com does not answer"]);
  });

  test("does not try to download again soon after a failure", async () => {
    const { made, calls } = world({ lastFailure: async () => ({ at: 900_000, reason: "no route" }) });
    expect(await chooseProvider(made)).toMatchObject({ kind: "official", folder: "/cache/provider" });
    expect(calls).toEqual(["build"]);
  });

  test("is the embedded one where it can neither be downloaded nor built; that is remembered", async () => {
    const { made, calls } = world({
      download: async () => "404",
      build: async () => ({ problem: "there is no go on PATH" }),
    });
    expect(await chooseProvider(made)).toEqual({
      kind: "embedded",
      reason: "it cannot be downloaded (404) or built (there is no go on PATH)",
    });
    expect(calls).toEqual(["reachable", "remember 404 there is no go on PATH"]);
  });

  test("does not try to build again soon after a failure, unless the official one is demanded", async () => {
    const lastFailure = async () => ({ at: 900_000, reason: "no route", build: "no modules" });
    const { made, calls } = world({ lastFailure });
    expect((await chooseProvider(made)).kind).toBe("embedded");
    expect(calls).toEqual([]);
    expect((await chooseProvider({ ...made, wish: "official" })).kind).toBe("official");
    expect(calls).toEqual(["build"]);
  });

  test("tries again later, and forgets the failure when it works", async () => {
    const { made, calls } = world({ lastFailure: async () => ({ at: -1_000_000, reason: "no route" }) });
    expect((await chooseProvider(made)).kind).toBe("official");
    expect(calls).toEqual(["reachable", "download", "forget"]);
  });

  test("follows the user's wish", async () => {
    const { made } = world({ wish: "embedded", installed: async () => "/plugins/k" });
    expect((await chooseProvider(made)).kind).toBe("embedded");
  });

  test("refuses when the official one is demanded and cannot be had", async () => {
    const build = async () => ({ problem: "there is no go on PATH" });
    const { made } = world({ wish: "official", reachable: async () => false, build });
    await expect(chooseProvider(made)).rejects.toMatchObject({
      code: "provider-unavailable",
      message: expect.stringMatching(/get\.pulumi\.com does not answer.*no go on PATH/),
    });
  });

  test("refuses a wish that it doesn't know", async () => {
    await expect(chooseProvider(world({ wish: "best" }).made)).rejects.toMatchObject({
      code: "provider-unknown",
      exitCode: 2,
    });
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
    expect(await findOfficialProvider(home, { PATH: "" })).toBe(program);
    expect(await findOfficialProvider(join(home, "other"), { PATH: folder })).toBe(program);
    writeFileSync(`${folder}.partial`, "");
    expect(await findOfficialProvider(home, { PATH: "" })).toBeUndefined();
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
    await memory.rememberFailure({ at: 5, reason: "no route", build: "no go" });
    expect(await memory.lastFailure()).toEqual({ at: 5, reason: "no route", build: "no go" });
    await memory.rememberFailure(undefined);
    expect(await memory.lastFailure()).toBeUndefined();
  } finally {
    rmSync(cache, { recursive: true });
  }
});
