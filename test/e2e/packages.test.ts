import { cp, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join, normalize } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ProcessResult, repository, resultOf, run } from "./cli-process.ts";

let folder = "";
/** Archives by the name of their package. */
const archives = new Map<string, string>();

async function npm(args: readonly string[], cwd: string): Promise<ProcessResult> {
  const result = await run("npm", [...args, "--no-audit", "--no-fund", "--loglevel=error"], { cwd });
  expect(result, result.stdout + result.stderr).toMatchObject({ exitCode: 0 });
  return result;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-packages-"));
  // In a copy: what is built must not lie about in this checkout while other tests use it.
  const checkout = join(folder, "checkout");
  const left = new Set([".git", ".modelswitch", "dist", "node_modules"]);
  await cp(repository, checkout, { recursive: true, filter: (path) => !left.has(basename(path)) });
  await symlink(join(repository, "node_modules"), join(checkout, "node_modules"));
  const packed = join(folder, "packed");
  await mkdir(packed);
  for (const where of [checkout, join(checkout, "packages", "local-cluster")]) {
    await npm(["pack", "--pack-destination", packed], where);
  }
  for (const file of await readdir(packed)) {
    const contents = join(folder, "contents", file);
    await mkdir(contents, { recursive: true });
    await run("tar", ["-xzf", join(packed, file), "-C", contents]);
    const { name } = JSON.parse(await readFile(join(contents, "package", "package.json"), "utf8")) as {
      name: string;
    };
    archives.set(name, join(packed, file));
  }
}, 300_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

const contentsOf = (name: string) =>
  join(folder, "contents", (archives.get(name) ?? "").split("/").at(-1) ?? "", "package");

const filesOf = async (name: string): Promise<readonly string[]> => {
  const root = contentsOf(name);
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries
    .filter((one) => one.isFile())
    .map((one) => join(one.parentPath, one.name).slice(root.length + 1));
};

/** An empty project of somebody's, with these packages and nothing that is for development. */
class Project {
  readonly folder: string;

  constructor(name: string) {
    this.folder = join(folder, name);
  }

  async install(...names: readonly string[]): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    await writeFile(join(this.folder, "package.json"), '{ "private": true, "type": "module" }\n');
    const files = names.map((name) => archives.get(name) ?? name);
    await npm(["install", "--ignore-scripts", "--prefer-offline", ...files], this.folder);
  }

  modelswitch(...args: readonly string[]): Promise<ProcessResult> {
    const program = join(this.folder, "node_modules", "modelswitch", "bin", "modelswitch.js");
    return run(process.execPath, [program, ...args], { cwd: this.folder });
  }
}

describe.each(["modelswitch", "@modelswitch/local-cluster"])("the package %s", (name) => {
  test("has what is built and documented, and nothing that leads nowhere", async () => {
    const files = await filesOf(name);
    expect(files.filter((file) => /(^|\/)src\/|\.map$|\.test\.|test-server|\.fixture\./.test(file))).toEqual(
      [],
    );
    expect(files.filter((file) => /\.go$|go\.mod$/.test(file)).length).toBeGreaterThan(2);
    const dead: string[] = [];
    for (const page of files.filter((file) => file.endsWith(".md"))) {
      const text = (await readFile(join(contentsOf(name), page), "utf8")).replace(/^```[\s\S]*?^```/gm, "");
      for (const [, target = ""] of text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const path = normalize(join(dirname(page), target)).replace(/\/$/, "");
        if (!files.some((file) => file === path || file.startsWith(`${path}/`)))
          dead.push(`${page}: ${target}`);
      }
    }
    expect(dead).toEqual([]);
  });
});

describe("installed in an empty project", () => {
  test("modelswitch works alone, and says how local clusters are had", async () => {
    const project = new Project("alone");
    await project.install("modelswitch");
    const version = await project.modelswitch("--version");
    expect(version, version.stderr).toMatchObject({ exitCode: 0 });
    const refused = await project.modelswitch("cluster", "list", "--json");
    expect(refused.exitCode, refused.stdout + refused.stderr).toBe(2);
    expect(resultOf(refused.stdout)).toMatchObject({
      error: {
        code: "local-cluster-missing",
        hint: expect.stringContaining("npm install @modelswitch/local-cluster"),
      },
    });
    await writeFile(
      join(project.folder, "program.js"),
      'import { BlueGreenModel, defineConfig } from "modelswitch"; console.log(typeof BlueGreenModel, typeof defineConfig);',
    );
    const imported = await run(process.execPath, ["program.js"], { cwd: project.folder });
    expect(imported.stdout.trim(), imported.stderr).toBe("function function");
    expect((await stat(join(project.folder, "node_modules", "@pulumi"))).isDirectory()).toBe(true);
  });

  test("with @modelswitch/local-cluster beside it, it finds the cluster that runs", async () => {
    const project = new Project("both");
    await project.install("modelswitch", "@modelswitch/local-cluster");
    const cluster = process.env.MODELSWITCH_TEST_CLUSTER ?? "test";
    const status = await project.modelswitch("cluster", "status", "--name", cluster, "--json");
    expect(status, status.stdout + status.stderr).toMatchObject({ exitCode: 0 });
    expect(JSON.parse(status.stdout)).toMatchObject({ state: "running" });
  });
});
