import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { kubernetesVersions } from "../../../../src/support.ts";
import { kubernetesModules, versions } from "./versions.ts";

const folder = join(import.meta.dirname, "..", "..", "go");
const read = (...path: string[]) => readFileSync(join(folder, ...path), "utf8");

/** Modules and versions that a go.mod requires. */
const requirements = (text: string) =>
  new Map(
    [...(text.split("\nexclude (")[0] ?? "").matchAll(/^\t(\S+) (v\S+)/gm)].map(
      ([, path = "", version = ""]) => [path, version],
    ),
  );

test("the addons are built of the same versions as Kubernetes: what both need is compiled once", () => {
  const kubernetes = requirements(read("kubernetes", "go.mod"));
  const addons = requirements(read("addons", "go.mod"));
  const shared = [...addons].filter(([path]) => kubernetes.has(path));
  expect(shared.length).toBeGreaterThan(60);
  // If this fails, `node scripts/addons-modules.ts` writes go.mod anew.
  const different = shared
    .filter(([path, version]) => kubernetes.get(path) !== version)
    .map(([path]) => path);
  // Named there, but nothing that is compiled on Linux is in them.
  const unused = ["github.com/Azure/go-ansiterm", "golang.org/x/tools"];
  expect(different.filter((path) => !unused.includes(path))).toEqual([]);
});

test("containerd's version is that of its module", () => {
  const { containerd } = versions;
  expect(requirements(read("containerd", "go.mod")).get("github.com/containerd/containerd/v2")).toBe(
    containerd,
  );
});

test("the versions of the addons are those of their modules", () => {
  const addons = requirements(read("addons", "go.mod"));
  const coredns = addons.get("github.com/coredns/coredns")?.slice(1);
  const metrics = addons.get("sigs.k8s.io/metrics-server")?.slice(1);
  expect(versions.addons).toBe(`coredns-${coredns},metrics-server-${metrics}`);
});

test.each(kubernetesVersions)("Kubernetes %s is built of the modules of its version", (version) => {
  const text = read("kubernetes", kubernetesModules[version], "go.mod");
  expect(requirements(text).get("k8s.io/kubernetes")).toBe(version);
  const staging = version.replace(/^v1\./, "v0.");
  expect(text).toContain(`k8s.io/client-go => k8s.io/client-go ${staging}`);
});
