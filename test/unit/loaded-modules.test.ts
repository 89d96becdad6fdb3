import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runProgram } from "../../src/tools/run-program.ts";
import { repository } from "../e2e/cli-process.ts";
import { kubeconfigOf } from "../support/kubeconfig.ts";

/** Files that a command loads, as the coverage of V8 lists them. */
async function loadedBy(args: readonly string[], folder: string): Promise<string[]> {
  const coverage = join(folder, "coverage");
  await runProgram(process.execPath, [join(repository, "bin", "modelswitch.js"), ...args], {
    cwd: folder,
    env: { ...process.env, NODE_V8_COVERAGE: coverage },
    timeoutMs: 60_000,
  });
  const lists = await Promise.all(
    (await readdir(coverage)).map(async (file) => {
      const { result } = JSON.parse(await readFile(join(coverage, file), "utf8")) as {
        readonly result: readonly { readonly url: string }[];
      };
      return result.map(({ url }) => url);
    }),
  );
  return lists.flat();
}

test("a command that speaks with a cluster does not load the Kubernetes client, which only OIDC and former plug-ins need", async () => {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-loaded-"));
  try {
    await writeFile(join(folder, "kubeconfig"), kubeconfigOf("http://127.0.0.1:1"));
    const args = ["init", "--from", "ingress/fraud", "--kubeconfig", join(folder, "kubeconfig")];
    const loaded = await loadedBy(args, folder);
    expect(loaded.filter((url) => url.includes("/@kubernetes/client-node/"))).toEqual([]);
    expect(loaded.some((url) => url.endsWith("/src/kubernetes/connect.ts"))).toBe(true);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test("the help is there without any library but the one that reads the command line", async () => {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-loaded-"));
  try {
    const loaded = await loadedBy(["--help"], folder);
    const libraries = loaded.flatMap((url) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1] ?? []);
    expect([...new Set(libraries)]).toEqual(["commander"]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
