import { cp, mkdir, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ensureTool } from "../../src/tools/ensure.ts";
import { type ProcessResult, programUnderTest, repository, run } from "./cli-process.ts";
import { languageHostFolder, startLanguageHost } from "./language-host.ts";
import { TestNamespace, testImages, until, versionAt } from "./test-cluster.ts";

let namespace: TestNamespace;
let pulumi: string;
let providerFolder: string;

beforeAll(async () => {
  namespace = await TestNamespace.create("pulumi-up");
  const tool = await ensureTool("pulumi", { signal: AbortSignal.timeout(280_000), progress: () => {} });
  pulumi = tool.programs.pulumi ?? "pulumi";
  const provider = await ensureTool("kubernetes-provider", {
    signal: AbortSignal.timeout(280_000),
    progress: () => {},
  });
  providerFolder = dirname(Object.values(provider.programs)[0] ?? "");
});

afterAll(async () => {
  await namespace.remove();
});

/** A copy of an example where somebody has run `npm install`, and its stack with these settings. */
class UserProject {
  readonly folder: string;

  constructor(example: string) {
    this.folder = join(namespace.folder, example);
  }

  async make(
    config: Readonly<Record<string, string>>,
    packages: Readonly<Record<string, string>>,
  ): Promise<void> {
    const example = this.folder.slice(namespace.folder.length + 1);
    await cp(join(repository, "examples", example), this.folder, { recursive: true });
    for (const [name, folder] of Object.entries(packages)) {
      const link = join(this.folder, "node_modules", name);
      await mkdir(dirname(link), { recursive: true });
      await symlink(folder, link);
    }
    await this.pulumi(["stack", "init", "dev"]);
    const pairs = Object.entries(config).flatMap(([key, value]) => ["--plaintext", `${key}=${value}`]);
    await this.pulumi(["config", "set-all", ...pairs]);
  }

  /** `pulumi ARGUMENTS` with the Kubernetes provider and the language host on PATH, as users have them. */
  async pulumi(args: readonly string[], expected: "success" | "failure" = "success"): Promise<ProcessResult> {
    const path = [providerFolder, await languageHostFolder(namespace.folder), process.env.PATH].join(":");
    const host = await startLanguageHost(this.folder);
    const needsHost = args[0] === "up" || args[0] === "destroy";
    try {
      const all = needsHost
        ? [...args, "--yes", "--skip-preview", `--client=${host.address}`, "--exec-kind=auto.inline"]
        : args;
      const result = await run(pulumi, all, {
        cwd: this.folder,
        env: {
          ...namespace.env(),
          PULUMI_SKIP_UPDATE_CHECK: "true",
          PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
          PATH: path,
        },
      });
      const output = result.stdout + result.stderr;
      if (expected === "success") expect(result, output).toMatchObject({ exitCode: 0 });
      else expect(result.exitCode, output).not.toBe(0);
      return result;
    } finally {
      host.close();
    }
  }
}

const installed = (name: string) => join(repository, "node_modules", name);
const pulumiPackages = {
  "@pulumi/pulumi": installed("@pulumi/pulumi"),
  "@pulumi/kubernetes": installed("@pulumi/kubernetes"),
};

describe("plain `pulumi up`", () => {
  test("runs the seed's program, and switches it by its configuration", async () => {
    const host = `seed.${namespace.name}.example.com`;
    for (const slot of ["blue", "green"] as const) {
      await namespace.deploy(`user-${slot}`, testImages[slot], { app: "ml-model", version: slot });
    }
    await Promise.all([namespace.untilReady("user-blue"), namespace.untilReady("user-green")]);
    const project = new UserProject("seed");
    await project.make({ host, "kubernetes:namespace": namespace.name }, pulumiPackages);

    const { stdout } = await project.pulumi(["up"]);
    expect(stdout).toMatch(/ingress_endpoint: "\S+"/);
    await until("blue answers", async () => (await versionAt(host)) === "1");

    await project.pulumi(["config", "set", "live", "green"]);
    const switched = await project.pulumi(["up"]);
    expect(switched.stdout).toMatch(/~ 1 updated/);
    await until("green answers", async () => (await versionAt(host)) === "2");
    await project.pulumi(["destroy"]);
  });

  test("runs BlueGreenModel from the package, and its guard refuses a slot that is not ready", async () => {
    const host = `library.${namespace.name}.example.com`;
    const project = new UserProject("library");
    await project.make(
      {
        host,
        namespace: namespace.name,
        replicas: "1",
        blueImage: testImages.blue,
        greenImage: testImages.green,
      },
      { ...pulumiPackages, modelswitch: join(dirname(programUnderTest()), "..") },
    );
    // As in the seed: an explicit provider from the stack's configuration.
    await project.pulumi(["config", "set", "--secret", "kubernetes:kubeconfig", namespace.kubeconfigPath]);

    await project.pulumi(["up"]);
    await until("blue answers", async () => (await versionAt(host)) === "1");

    await project.pulumi(["config", "set", "live", "green"]);
    await project.pulumi(["up"]);
    await until("green answers", async () => (await versionAt(host)) === "2");

    await namespace.api.json({
      method: "PATCH",
      path: `/apis/apps/v1/namespaces/${namespace.name}/deployments/fraud-blue/scale`,
      contentType: "application/merge-patch+json",
      body: { spec: { replicas: 0 } },
    });
    await project.pulumi(["config", "set", "live", "blue"]);
    const refused = await project.pulumi(["up"], "failure");
    expect(refused.stdout).toContain('Refused to send traffic of "fraud" to blue');
    expect(await versionAt(host)).toBe("2");
    await project.pulumi(["destroy"]);
  });
});
