import { expect, test } from "vitest";
import { cacheFolder } from "./cache-folder.ts";
import { findChecksum } from "./download.ts";
import { estimateRemainingMs, parseGoDownload, parseGoList } from "./go-progress.ts";
import { findVersion, isInRange } from "./version-range.ts";

test("the cache folder follows MODELSWITCH_CACHE, XDG_CACHE_HOME and HOME, in that order", () => {
  const env = { MODELSWITCH_CACHE: "/a", XDG_CACHE_HOME: "/b", HOME: "/c" };
  expect(cacheFolder(env)).toBe("/a");
  expect(cacheFolder({ ...env, MODELSWITCH_CACHE: "" })).toBe("/b/modelswitch");
  expect(cacheFolder({ XDG_CACHE_HOME: "relative", HOME: "/c" })).toBe("/c/.cache/modelswitch");
});

test("versions are found in what programs answer", () => {
  expect(findVersion("Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0")).toBe("1.32.4");
  expect(findVersion("etcd Version: 3.7.3\nGit SHA: 0x12.3")).toBe("3.7.3");
  expect(findVersion("no version")).toBeUndefined();
});

test.each([
  ["v1.36.3", true, true],
  ["v1.36.9", true, true],
  ["v1.37.0", true, false],
  ["v1.36.2", false, false],
  ["v2.0.0", false, false],
  ["nonsense", false, false],
])("%s against v1.36.3: at least %s, same minor %s", (version, atLeast, sameMinor) => {
  expect(isInRange(version, "^v1.36.3")).toBe(atLeast);
  expect(isInRange(version, "~v1.36.3")).toBe(sameMinor);
});

test("checksums are found in lists, in binary-mode lists and alone", () => {
  const sum = "a".repeat(64);
  expect(findChecksum(`${"b".repeat(64)}  other\n${sum}  etcd.tar.gz\n`, "etcd.tar.gz")).toBe(sum);
  expect(findChecksum(`${sum} *./etcd.tar.gz`, "etcd.tar.gz")).toBe(sum);
  expect(findChecksum(sum.toUpperCase(), "kubelet")).toBe(sum);
  expect(findChecksum(`${sum}  other`, "etcd.tar.gz")).toBeUndefined();
  expect(findChecksum("<html>not found</html>", "etcd.tar.gz")).toBeUndefined();
});

test("go list tells what is to be compiled", () => {
  const output = [
    "false\tfmt\t",
    "true\tk8s.io/api/core/v1\tstale dependency: fmt",
    "true\tmodelswitch/kubernetes\tnot installed but available in build cache",
    "",
  ].join("\n");
  expect(parseGoList(output)).toEqual([
    { path: "fmt", stale: false },
    { path: "k8s.io/api/core/v1", stale: true },
    { path: "modelswitch/kubernetes", stale: false },
  ]);
  expect(parseGoDownload("go: downloading k8s.io/api v0.36.3")).toBe("k8s.io/api v0.36.3");
  expect(parseGoDownload("go: finding module")).toBeUndefined();
});

test("the estimate begins as the typical time and becomes the observed one", () => {
  const typical = { packages: 2000, compileSeconds: 400, linkSeconds: 20 };
  const at = { toCompile: 2000, compiled: 0, elapsedMs: 0, linkingMs: 0, cores: 2 };
  expect(estimateRemainingMs(typical, at)).toBe(420_000);
  expect(estimateRemainingMs(typical, { ...at, cores: 8 })).toBe(120_000);
  // Three times slower than typical, half done: close to three times the other half.
  const slow = estimateRemainingMs(typical, { ...at, compiled: 1000, elapsedMs: 600_000 });
  expect(slow).toBeGreaterThan(550_000);
  expect(slow).toBeLessThan(620_000);
  expect(estimateRemainingMs(typical, { ...at, compiled: 2000, linkingMs: 5_000 })).toBe(15_000);
  expect(estimateRemainingMs(typical, { ...at, compiled: 2000, linkingMs: 21_000 })).toBeUndefined();
});
