import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { containerdFrom } from "../../packages/local-cluster/src/tools/containerd.ts";
import { clusterRecipes } from "../../packages/local-cluster/src/tools/ensure.ts";
import { etcdFrom } from "../../packages/local-cluster/src/tools/etcd.ts";
import { kubernetesFrom } from "../../packages/local-cluster/src/tools/kubernetes.ts";
import { traefikFrom } from "../../packages/local-cluster/src/tools/traefik.ts";
import { traefikWheels } from "../../packages/local-cluster/src/tools/versions.ts";
import { recipes } from "../../src/tools/recipes/index.ts";
import { pulumiFrom } from "../../src/tools/recipes/pulumi.ts";
import type { Recipe } from "../../src/tools/source.ts";

const root = join(import.meta.dirname, "..", "..");

/** Recipes that download releases, with another place to download from. */
const released: Readonly<Record<string, (url: string) => Recipe>> = {
  containerd: containerdFrom,
  etcd: etcdFrom,
  kubernetes: kubernetesFrom,
  pulumi: (url) => pulumiFrom([url]),
  traefik: traefikFrom,
};

const isChecksums = (url: string) => /sha256|checksums/i.test(url);

/** Obtains from a server that has every file, and these checksums of them; returns why it failed. */
async function obtainWith(recipe: (url: string) => Recipe, checksums: (url: string) => string | undefined) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const url = request.url ?? "";
    asked.push(url);
    const text = isChecksums(url) ? checksums(url) : "not what was published";
    if (text === undefined) response.writeHead(404).end();
    else response.end(text);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const folder = await mkdtemp(join(tmpdir(), "downloads-"));
    const made = recipe(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [source] = made.sources.filter(({ origin }) => origin === "release");
    if (source === undefined) throw new Error(`${made.name} has no release.`);
    const context = {
      cacheFolder: folder,
      platform: { os: "linux", cpu: "x64" } as const,
      env: { PATH: process.env.PATH },
      signal: new AbortController().signal,
      progress: () => {},
    };
    const failure = await source.obtain(folder, context, join(folder, "there")).then(
      () => undefined,
      (error: Error) => error.message,
    );
    return { failure, asked };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe("a release", () => {
  test("of every recipe that has one is looked at here", () => {
    const having = Object.values({ ...recipes, ...clusterRecipes })
      .filter(({ sources }) => sources.some(({ origin }) => origin === "release"))
      .map(({ name }) => name)
      .sort();
    expect(having).toEqual(Object.keys(released).sort());
  });

  test.each(Object.entries(released))("of %s with another checksum is not used", async (_name, recipe) => {
    const { failure, asked } = await obtainWith(recipe, (url) => {
      const name = url
        .split("/")
        .at(-1)
        ?.replace(/\.sha256(sum)?$/, "");
      const archives = ["etcd-v3.7.3-linux-amd64.tar.gz", "traefik_v3.7.15_linux_amd64.tar.gz"];
      const names = [name, ...archives, "pulumi-v3.259.0-linux-x64.tar.gz"];
      return url.endsWith(".sha256")
        ? "0".repeat(64)
        : names.map((one) => `${"0".repeat(64)}  ${one}`).join("\n");
    });
    expect(failure).toMatch(/SHA-256|checksum/);
    expect(asked.some(isChecksums)).toBe(true);
  });

  test.each(Object.entries(released))("of %s without a checksum is not used", async (_name, recipe) => {
    expect((await obtainWith(recipe, () => undefined)).failure).toBeDefined();
    expect((await obtainWith(recipe, () => "")).failure).toMatch(/checksum/);
  });
});

describe("what comes from registries", () => {
  test("is fetched by their clients: only the verified download speaks HTTP itself", () => {
    const speaking = [
      "src/tools",
      ...["images", "tools"].map((room) => join("packages/local-cluster/src", room)),
    ].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
        .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
        .filter((file) =>
          /from "(undici|node:https?)"|\bfetch\(/.test(readFileSync(join(root, folder, file), "utf8")),
        )
        .map((file) => join(folder, file)),
    );
    expect(speaking).toEqual(["src/tools/download.ts"]);
  });

  test("has its checksum here: wheels", () => {
    for (const [platform, sha256] of Object.entries(traefikWheels)) {
      expect(sha256, platform).toMatch(/^[0-9a-f]{64}$/);
    }
  });

  test.each(readdirSync(join(root, "go")).filter((folder) => existsSync(join(root, "go", folder, "go.mod"))))(
    "has its checksum here: the modules of go/%s",
    (folder) => {
      const text = readFileSync(join(root, "go", folder, "go.mod"), "utf8");
      // What is excluded is never downloaded.
      const module = text.replaceAll(/^exclude (?:\([\s\S]*?^\)|.*$)/gm, "");
      const required = [...module.matchAll(/^\s*(?:require\s+)?([\w.-]+\.[\w./-]+) (v\S+)/gm)];
      const sums = required.length === 0 ? "" : readFileSync(join(root, "go", folder, "go.sum"), "utf8");
      const replaced = new Set([...module.matchAll(/([\w./-]+)(?: v\S+)? => /g)].map((match) => match[1]));
      const unverified = required
        .filter(([, path]) => !replaced.has(path))
        .filter(([, path, version]) => !sums.includes(`${path} ${version}/go.mod h1:`))
        .map(([, path]) => path);
      expect(unverified).toEqual([]);
    },
  );

  test("is named exactly: the Python packages of the demo's image", () => {
    const lines = readFileSync(join(root, "demo", "digits", "requirements.txt"), "utf8").split("\n");
    const loose = lines.filter(
      (line) => line !== "" && !line.startsWith("#") && !/^[\w.-]+==[\w.]+/.test(line),
    );
    expect(loose.filter((line) => !/^\s+--hash=sha256:/.test(line))).toEqual([]);
  });
});
