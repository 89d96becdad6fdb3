import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { kubernetesFrom } from "../../packages/local-cluster/src/tools/kubernetes.ts";
import { kubernetesVersions } from "../core/local-cluster.ts";
import { ensureRecipe } from "./ensure.ts";
import { isRunning } from "./lock.ts";
import { runProgram } from "./run-program.ts";
import type { Recipe, Source } from "./source.ts";
import type { EnsureToolOptions } from "./tool.ts";

let cache = "";
let details: string[] = [];

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "ensure-"));
  details = [];
});

const options = (more: Partial<EnsureToolOptions> = {}): EnsureToolOptions => ({
  cacheFolder: cache,
  signal: new AbortController().signal,
  progress: ({ detail }) => {
    if (detail !== undefined) details.push(detail);
  },
  ...more,
});

const script = async (path: string, text: string) => {
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
};

let obtained = 0;

/** A source that writes a program. */
const working = (origin: Source["origin"] = "registry"): Source => ({
  origin,
  title: `working ${origin}`,
  async obtain(folder) {
    obtained += 1;
    await script(join(folder, "etcd"), "echo etcd Version: 3.7.3");
    return { version: "v3.7.3", programs: { etcd: "etcd" }, prepend: { PATH: ["."] } };
  },
});

const failing = (origin: Source["origin"], reason: string): Source => ({
  origin,
  title: `failing ${origin}`,
  async obtain(folder) {
    await writeFile(join(folder, "half"), "x");
    throw new Error(reason);
  },
});

beforeEach(() => {
  obtained = 0;
});

const recipe = (more: Partial<Recipe> = {}): Recipe => ({
  name: "etcd",
  version: async () => "v3.7.3",
  findOnPath: async () => ({ found: false, reason: "etcd is not there" }),
  sources: [failing("release", "the host name can't be resolved"), working()],
  proofs: { etcd: ["--version"] },
  alternatives: "Use a cluster that is there already.",
  ...more,
});

const entries = async () => (await readdir(cache, { recursive: true })).sort();

test("tries each source in turn, keeps the result, and finds it again", async () => {
  const first = await ensureRecipe(recipe(), options(), { env: { PATH: "/usr/bin" } });
  expect(first).toMatchObject({ origin: "registry", version: "v3.7.3" });
  expect((await runProgram(first.programs.etcd ?? "", [])).stdout).toBe("etcd Version: 3.7.3\n");
  expect(first.env.PATH).toMatch(/linux-x64:\/usr\/bin$|:\/usr\/bin$/);
  expect(details).toEqual(["trying failing release", "trying working registry"]);
  const again = await ensureRecipe(recipe(), options(), { env: { PATH: "/usr/bin" } });
  expect(again).toEqual({ ...first, origin: "cache" });
  expect(obtained).toBe(1);
  // Nothing of the failed source, no lock and no draft is left.
  expect((await entries()).filter((path) => /half|lock|new-|progress/.test(path))).toEqual([]);
});

test("the release comes before the registry, and PATH before both", async () => {
  const both = recipe({ sources: [working("release"), working("registry")] });
  expect((await ensureRecipe(both, options())).origin).toBe("release");
  const there = recipe({
    name: "traefik",
    findOnPath: async () => ({
      found: true,
      tool: { version: "v3.7.5", programs: { traefik: "/usr/bin/traefik" }, env: {}, folders: {} },
    }),
  });
  expect(await ensureRecipe(there, options())).toMatchObject({ origin: "path", version: "v3.7.5" });
  expect(obtained).toBe(1);
});

test("concurrent calls do the work once", async () => {
  const tools = await Promise.all([1, 2, 3].map(() => ensureRecipe(recipe(), options())));
  expect(obtained).toBe(1);
  expect(new Set(tools.map((tool) => tool.programs.etcd)).size).toBe(1);
});

test("a damaged entry is obtained again, and the user is told", async () => {
  const { programs } = await ensureRecipe(recipe(), options());
  await writeFile(programs.etcd ?? "", "garbage");
  details = [];
  const repaired = await ensureRecipe(recipe(), options());
  expect(repaired.origin).toBe("registry");
  expect(details[0]).toMatch(
    /^etcd v3.7.3 in the cache is damaged \(etcd has 7 bytes instead of \d+\): obtaining it again$/,
  );
  expect((await ensureRecipe(recipe(), options())).origin).toBe("cache");
});

test("what does not run here does not enter the cache", async () => {
  const broken: Source = {
    ...working(),
    async obtain(folder) {
      await script(
        join(folder, "etcd"),
        "echo libseccomp.so.2: cannot open shared object file >&2; exit 127",
      );
      return { version: "v3.7.3", programs: { etcd: "etcd" } };
    },
  };
  await expect(ensureRecipe(recipe({ sources: [broken] }), options())).rejects.toMatchObject({
    code: "tool-unavailable",
    message: expect.stringContaining("libseccomp.so.2: cannot open shared object file"),
  });
});

test("the error names every place and why, and what to do", async () => {
  const nothing = recipe({
    sources: [failing("release", "HTTP status 404"), failing("registry", "no go on PATH")],
  });
  const error = await ensureRecipe(nothing, options(), { platform: { os: "linux", cpu: "x64" } }).catch(
    (thrown: unknown) => thrown,
  );
  expect(error).toMatchObject({
    code: "tool-unavailable",
    message: [
      "etcd v3.7.3 can't be had:",
      `- cache ${cache}/tools/etcd/v3.7.3-1/linux-x64: not there`,
      "- PATH: etcd is not there",
      "- failing release: HTTP status 404",
      "- failing registry: no go on PATH",
    ].join("\n"),
    hint: "Use a cluster that is there already.",
    details: { tool: "etcd" },
  });
});

test("another operating system is told at once", async () => {
  const promise = ensureRecipe(kubernetesFrom("https://dl.k8s.io"), options(), {
    platform: { os: "darwin", cpu: "arm64" },
  });
  await expect(promise).rejects.toMatchObject({
    code: "tool-unavailable",
    message: "kubernetes can't be had:\n- any source: it only exists for Linux, and this is darwin",
    hint: expect.stringContaining("--context"),
  });
});

test("an interrupted source leaves neither processes nor half an entry", async () => {
  const controller = new AbortController();
  const slow: Source = {
    origin: "registry",
    title: "slow build",
    async obtain(folder, { signal }) {
      await writeFile(join(folder, "half"), "x");
      await runProgram("/bin/sh", ["-c", `sleep 60 & echo $! > ${cache}/child; wait`], { signal });
      throw new Error("not reached");
    },
  };
  const running = ensureRecipe(
    recipe({ sources: [slow, working()] }),
    options({ signal: controller.signal }),
  );
  const child = () => readFile(join(cache, "child"), "utf8").catch(() => "");
  await expect.poll(child).toMatch(/\d+\n/);
  controller.abort();
  await expect(running).rejects.toMatchObject({ code: "interrupted", exitCode: 130 });
  expect(obtained).toBe(0);
  expect((await entries()).filter((path) => /half|lock|new-|progress/.test(path))).toEqual([]);
  const pid = Number(await child());
  await expect.poll(() => isRunning(pid)).toBe(false);
  // And the next run works.
  expect((await ensureRecipe(recipe(), options())).origin).toBe("registry");
});

test("what a killed run left behind is removed", async () => {
  const leftover = join(
    cache,
    "tools",
    "etcd",
    "v3.7.3-1",
    `${process.platform}-${process.arch}.new-99999999-abc`,
  );
  for (const expected of ["registry", "cache"]) {
    await mkdir(leftover, { recursive: true });
    expect((await ensureRecipe(recipe(), options())).origin).toBe(expected);
    expect(await readdir(join(leftover, ".."))).toEqual([`${process.platform}-${process.arch}`]);
  }
});

test("a cache folder that can't be made says which setting names another", async () => {
  await writeFile(join(cache, "file"), "");
  await expect(ensureRecipe(recipe(), options({ cacheFolder: join(cache, "file") }))).rejects.toMatchObject({
    code: "cache-not-writable",
    hint: expect.stringContaining("MODELSWITCH_CACHE"),
  });
});

test("Kubernetes is downloaded from its release, each program verified", async () => {
  const program = `#!/bin/sh\necho Kubernetes ${kubernetesVersions[0]}\n`;
  const sum = createHash("sha256").update(program).digest("hex");
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.end(request.url?.endsWith(".sha256") ? sum : program);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const tool = await ensureRecipe(kubernetesFrom(url), options(), {
      env: { PATH: "/usr/bin:/bin" },
      platform: { os: "linux", cpu: "x64" },
    });
    expect(tool.origin).toBe("release");
    expect(Object.keys(tool.programs)).toHaveLength(6);
    expect(asked).toContain(`/release/${kubernetesVersions[0]}/bin/linux/amd64/kube-proxy.sha256`);
  } finally {
    server.close();
  }
});
