import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { buildImage } from "../../packages/local-cluster/src/images/build.ts";
import { ensureClusterTool } from "../../packages/local-cluster/src/tools/ensure.ts";
import { cacheFolder } from "../../src/tools/cache-folder.ts";
import { buildGoProgram } from "../../src/tools/go-build.ts";
import { loadImage } from "../../test/e2e/load-image.ts";
import { kubectl } from "./kubectl.ts";

const run = promisify(execFile);

/** A controller of the field, built from its published Go module, in a pod of the cluster as its users have it. */
export interface Controller {
  readonly name: "argo-rollouts" | "flagger";
  readonly module: string;
  readonly program: string;
  readonly args: readonly string[];
  /** Folder of the module with its CRDs, and which of them. */
  readonly crds: { readonly folder: string; readonly files: RegExp };
}

export const argoRollouts: Controller = {
  name: "argo-rollouts",
  module: "github.com/argoproj/argo-rollouts",
  program: "cmd/rollouts-controller",
  args: ["--leader-elect=false", "--loglevel=warn"],
  crds: { folder: "manifests/crds", files: /-crd\.yaml$/ },
};

export const flagger: Controller = {
  name: "flagger",
  module: "github.com/fluxcd/flagger",
  program: "cmd/flagger",
  // Its releases here have no metrics, so nothing is asked for at this address.
  args: ["-mesh-provider=nginx", "-metrics-server=http://127.0.0.1:9090", "-log-level=error"],
  crds: { folder: "artifacts/flagger", files: /^crd\.yaml$/ },
};

const namespace = "peers";
const signal = AbortSignal.timeout(5_400_000);

/** Builds a controller, once: what was compiled before is in the cache. Returns the folder that has it. */
export async function build({ name, module, program }: Controller): Promise<string> {
  const folder = join(cacheFolder(), "bench", name);
  await mkdir(folder, { recursive: true });
  await buildGoProgram(
    {
      module: sourceOf(name),
      target: `${module}/${program}`,
      typical: { packages: 1200, compileSeconds: 400, linkSeconds: 20 },
    },
    join(folder, "controller"),
    {
      cacheFolder: cacheFolder(),
      platform: { os: process.platform, cpu: process.arch },
      env: process.env,
      signal,
      progress: () => {},
    },
  );
  return folder;
}

const sourceOf = (name: Controller["name"]) => new URL(`./go/${name}/`, import.meta.url);

/** Runs a controller in the cluster with every right. */
export async function install(controller: Controller): Promise<void> {
  const { name, module, args, crds } = controller;
  const folder = await build(controller);
  await writeFile(
    join(folder, "Containerfile"),
    'FROM scratch\nCOPY controller /controller\nENTRYPOINT ["/controller"]\n',
  );
  const image = `localhost/bench-${name}:1`;
  const { archivePath } = await buildImage({
    containerfile: join(folder, "Containerfile"),
    contextFolder: folder,
    tag: image,
    ensureTool: ensureClusterTool,
    events: () => {},
    signal,
  });
  await loadImage(archivePath);

  const { stdout } = await run("go", ["list", "-m", "-f", "{{.Dir}}", module], {
    cwd: sourceOf(name),
    env: { ...process.env, GOFLAGS: "-mod=readonly", GOWORK: "off" },
  });
  const definitions = join(stdout.trim(), crds.folder);
  for (const file of await readdir(definitions)) {
    if (crds.files.test(file)) await kubectl(["apply", "--server-side", "-f", join(definitions, file)]);
  }
  await kubectl(["apply", "--server-side", "-f", "-"], JSON.stringify(workload(name, image, args)));
  await kubectl(["-n", namespace, "rollout", "status", `deployment/${name}`, "--timeout=120s"]);
}

export async function uninstall({ name }: Controller): Promise<void> {
  await kubectl(["-n", namespace, "delete", "deployment", name, "--wait=true"]);
}

function workload(name: string, image: string, args: readonly string[]): unknown {
  const labels = { app: name };
  const items = [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "ClusterRoleBinding",
      metadata: { name: namespace },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "cluster-admin" },
      subjects: [{ kind: "ServiceAccount", name: "default", namespace }],
    },
    {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name, namespace },
      spec: {
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: { containers: [{ name: "controller", image, imagePullPolicy: "Never", args }] },
        },
      },
    },
  ];
  return { apiVersion: "v1", kind: "List", items };
}

export interface Idle {
  /** Per cent of one core. */
  readonly cpu: number;
  /** Resident, MiB. */
  readonly memory: number;
}

/** What a controller needs while nothing is to be done, over some seconds. */
export async function idle({ name }: Controller, seconds: number): Promise<Idle> {
  const pid = await processOf(name);
  const before = await ticks(pid);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await ticks(pid);
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kib = Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? Number.NaN);
  return { cpu: (after - before) / seconds, memory: kib / 1024 };
}

/** The process whose program is `/controller`: there is one of them at a time. */
async function processOf(about: string): Promise<number> {
  for (const pid of await readdir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
    if (line.startsWith("/controller\0")) return Number(pid);
  }
  throw new Error(`No process of ${about} runs.`);
}

/** Hundredths of a second that a process has used. */
async function ticks(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
}
