import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ensureClusterTool } from "../../packages/local-cluster/src/tools/ensure.ts";
import { modelswitch, resultOf, run } from "./cli-process.ts";
import { buildProbeImage } from "./pod-probe.ts";
import { TestNamespace, until } from "./test-cluster.ts";

const cluster = process.env.MODELSWITCH_TEST_CLUSTER ?? "";
let namespace: TestNamespace;
let folder: string;
/** Folder of a Containerfile. */
let context: string;

beforeAll(async () => {
  namespace = await TestNamespace.create("images");
  folder = await mkdtemp(join(tmpdir(), "modelswitch-images-"));
  context = join(folder, "context");
  await mkdir(context);
  await buildProbeImage(folder);
  await copyFile(join(folder, "pod-probe"), join(context, "pod-probe"));
  const lines = [
    "FROM scratch",
    "ARG NOTE",
    "COPY pod-probe /",
    'ENV NOTE="$NOTE"',
    'ENTRYPOINT ["/pod-probe"]',
  ];
  await writeFile(join(context, "Containerfile"), `${lines.join("\n")}\n`);
});

afterAll(async () => {
  await namespace.remove();
  await rm(folder, { recursive: true, force: true });
});

/** Whether a pod of the image starts: it can't be pulled, so it must be in the node. */
async function runPod(name: string, image: string): Promise<void> {
  await namespace.api.json({
    method: "POST",
    path: `/api/v1/namespaces/${namespace.name}/pods`,
    body: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { name },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [{ name: "probe", image, args: ["sleep"], imagePullPolicy: "IfNotPresent" }],
      },
    },
  });
  await until(`a pod of ${image} runs`, async () => {
    const pod = await namespace.api.find<{ status?: { phase?: string } }>(
      `/api/v1/namespaces/${namespace.name}/pods/${name}`,
    );
    return pod?.status?.phase === "Running";
  });
}

describe("cluster build-image", () => {
  it("builds a Containerfile and brings the image under the name that pods use", async () => {
    const build = (...more: string[]) =>
      modelswitch(
        [
          ...["cluster", "build-image", context, "-t", "probe-built:1", "--build-arg", "NOTE=hello"],
          ...["--name", cluster, ...more],
        ],
        { timeoutMs: 900_000 },
      );
    const built = await build("--json");
    expect(built.exitCode, built.stdout + built.stderr).toBe(0);
    expect(JSON.stringify(resultOf(built.stdout))).toContain("docker.io/library/probe-built:1");
    await runPod("built", "probe-built:1");

    const again = await build();
    expect(again.exitCode, again.stderr).toBe(0);
    expect(again.stdout + again.stderr).toContain("from the cache");
  });

  it.each([
    [[], "argument-missing", "--tag"],
    [["--tag", "x:1", "--file", "nothing"], "containerfile-missing", "nothing"],
    [["--tag", "x:1", "--build-arg", "NOTE"], "argument-invalid", "NAME=VALUE"],
  ])("with %j it is refused: %s", async (args, code, text) => {
    const refused = await modelswitch([
      "cluster",
      "build-image",
      context,
      ...args,
      "--name",
      cluster,
      "--json",
    ]);
    expect(refused.exitCode).toBe(2);
    const { error } = resultOf(refused.stdout) as { error: { code: string; message: string } };
    expect(error.code).toBe(code);
    expect(error.message).toContain(text);
  });
});

describe("cluster load-image", () => {
  /** A buildah on PATH with images of its own, as a user has it. */
  async function ownBuildah(): Promise<Record<string, string>> {
    const tool = await ensureClusterTool("buildah", {
      signal: AbortSignal.timeout(900_000),
      progress: () => {},
    });
    const programs = join(folder, "bin");
    const settings = join(folder, ".config", "containers");
    await mkdir(programs, { recursive: true });
    await mkdir(settings, { recursive: true });
    await writeFile(join(settings, "policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
    await writeFile(
      join(settings, "storage.conf"),
      `[storage]\ndriver = "vfs"\ngraphroot = "${folder}/store"\nrunroot = "${folder}/run"\n`,
    );
    const environment = Object.entries({
      ...tool.env,
      HOME: folder,
      CONTAINERS_STORAGE_CONF: join(settings, "storage.conf"),
      BUILDAH_ISOLATION: "chroot",
    });
    const exported = environment.map(([key, value]) => `export ${key}='${value}'`).join("\n");
    const wrapper = join(programs, "buildah");
    await writeFile(wrapper, `#!/bin/sh\n${exported}\nexec '${tool.programs.buildah}' "$@"\n`);
    await chmod(wrapper, 0o755);
    return { PATH: `${programs}:${process.env.PATH}` };
  }

  it("streams an image from buildah by its name, and reads archives of both kinds", {
    timeout: 900_000,
  }, async () => {
    const env = await ownBuildah();
    const buildah = async (...args: string[]) => {
      const result = await run("buildah", args, { env });
      expect(result.exitCode, result.stderr).toBe(0);
    };
    const load = async (...args: string[]) => {
      const result = await modelswitch(["cluster", "load-image", ...args, "--name", cluster, "--json"], {
        env,
      });
      return { ...result, document: resultOf(result.stdout) };
    };
    await buildah("bud", "--tag", "localhost/probe-named:1", context);
    const named = await load("localhost/probe-named:1");
    expect(named.exitCode, named.stdout + named.stderr).toBe(0);
    expect(named.document).toMatchObject({ from: "buildah", images: ["localhost/probe-named:1"] });
    await runPod("named", "localhost/probe-named:1");

    for (const kind of ["docker-archive", "oci-archive"]) {
      const file = join(folder, `${kind}.tar`);
      await buildah("push", "localhost/probe-named:1", `${kind}:${file}:localhost/probe-${kind}:1`);
      const loaded = await load(file);
      expect(loaded.exitCode, loaded.stdout + loaded.stderr).toBe(0);
      await runPod(kind, `localhost/probe-${kind}:1`);
    }

    const missing = await load("localhost/nobody:1");
    expect(missing.exitCode).toBe(2);
    expect(missing.document).toMatchObject({ error: { code: "image-not-found" } });
  });
});
