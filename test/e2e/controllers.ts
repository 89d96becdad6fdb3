import { type ChildProcess, execFile, spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { ensureClusterTool } from "../../packages/local-cluster/src/tools/ensure.ts";
import type { KubernetesApi } from "../../src/kubernetes/api.ts";
import { until } from "./test-cluster.ts";

/** Where the CRDs of the controllers are: Go modules at the versions that these were built with. */
const sources = [
  {
    module: "github.com/traefik/traefik/v3@v3.7.13",
    path: "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml",
  },
  { module: "sigs.k8s.io/gateway-api@v1.6.2", path: "config/crd/standard" },
] as const;

interface Definition {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string };
}

/** Gives the cluster the kinds that Traefik's own provider and that of the Gateway API need. They stay for tests that follow. */
export async function installKinds(api: KubernetesApi): Promise<void> {
  const found = await Promise.all(sources.map(({ module, path }) => definitionsIn(module, path)));
  const paths = await Promise.all(
    found.flat().map(async (body) => {
      const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${body.metadata?.name}`;
      await api.json({ method: "PATCH", path, query: { fieldManager: "tests", force: true }, body });
      return path;
    }),
  );
  await until("the kinds are served", async () => {
    const all = await Promise.all(paths.map((path) => api.find<Established>(path)));
    return all.every((one) =>
      one?.status?.conditions?.some(({ type, status }) => type === "Established" && status === "True"),
    );
  });
}

interface Established {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

async function definitionsIn(module: string, path: string): Promise<Definition[]> {
  const { stdout } = await promisify(execFile)("go", ["mod", "download", "-json", module], {
    // Outside of any module, and whatever the work space says.
    cwd: "/",
    env: { ...process.env, GOWORK: "off", GOFLAGS: "-mod=mod" },
  });
  const { Dir } = JSON.parse(stdout) as { Dir: string };
  const place = join(Dir, path);
  const files = path.endsWith(".yml") ? [place] : (await readdir(place)).map((name) => join(place, name));
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return texts
    .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Definition | null))
    .filter((one) => one !== null && one.kind === "CustomResourceDefinition")
    .flatMap((one) => one ?? []);
}

/** A Traefik of the tests, on this machine beside the cluster's own, which reads its CRDs and the Gateway API. */
export interface RunningTraefik {
  readonly url: string;
  /** The port of its entry point, which a Gateway's listener has to name. */
  readonly port: number;
  /** Where it shows what it counts. */
  readonly metricsUrl: string;
  stop(): Promise<void>;
}

export async function startTraefik(kubeconfigPath: string): Promise<RunningTraefik> {
  const tool = await ensureClusterTool("traefik", {
    signal: AbortSignal.timeout(600_000),
    progress: () => {},
  });
  const [port, administration] = await Promise.all([freePort(), freePort()]);
  const gateway = "--providers.kubernetesgateway";
  const child = spawn(
    tool.programs.traefik ?? "traefik",
    [
      "--global.checknewversion=false",
      "--global.sendanonymoususage=false",
      `--entrypoints.web.address=127.0.0.1:${port}`,
      `--entrypoints.traefik.address=127.0.0.1:${administration}`,
      "--ping=true",
      "--metrics.prometheus=true",
      "--metrics.prometheus.addserviceslabels=true",
      // Without `allowEmptyServices`: what is hard has to work.
      "--providers.kubernetescrd=true",
      `${gateway}=true`,
      `${gateway}.statusaddress.ip=127.0.0.1`,
      "--serverstransport.forwardingtimeouts.idleconntimeout=3s",
      "--providers.providersthrottleduration=200ms",
      "--log.level=ERROR",
      "--log.nocolor=true",
    ],
    { env: { ...process.env, ...tool.env, KUBECONFIG: kubeconfigPath }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const said: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (data) => said.push(String(data)));
  await until("Traefik answers", async () => {
    if (child.exitCode !== null) throw new Error(`Traefik ended:\n${said.join("")}`);
    return await fetch(`http://127.0.0.1:${administration}/ping`).then(
      (answer) => answer.ok,
      () => false,
    );
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    metricsUrl: `http://127.0.0.1:${administration}/metrics`,
    stop: () => ended(child),
  };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exit;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("a port was expected");
  return address.port;
}
