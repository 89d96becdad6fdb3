import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { parseAllDocuments } from "yaml";
import { ensureClusterTool } from "../../packages/local-cluster/src/tools/ensure.ts";
import { routerNames } from "../../src/core/router-names.ts";
import type { KubernetesApi } from "../../src/kubernetes/api.ts";
import { answersWell, freePorts, Program } from "./conformance/program.ts";
import { until } from "./test-cluster.ts";

/** Where the CRDs of the controllers are: Go modules at the versions that these were built with. */
const sources: readonly KindSource[] = [
  {
    module: "github.com/traefik/traefik/v3@v3.7.13",
    path: "docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml",
  },
  { module: "sigs.k8s.io/gateway-api@v1.6.2", path: "config/crd/standard" },
  { module: "github.com/projectcontour/contour@v1.33.8", path: "examples/contour/01-crds.yaml" },
  { module: "istio.io/api@v1.32.0", path: "kubernetes/customresourcedefinitions.gen.yaml" },
];

/** Routers whose objects an API server can judge here; the CRDs of NGINX Inc are in no package registry. */
export const judged = routerNames.filter((name) => name !== "nginx-inc");

/** A module of Go, and where in it definitions are. */
export interface KindSource {
  readonly module: string;
  readonly path: string;
}

interface Definition {
  readonly kind?: string;
  readonly metadata?: { readonly name?: string };
}

/** Gives the cluster the kinds that the routers write, and those that their controllers need beside. They stay for tests that follow. */
export async function installKinds(api: KubernetesApi, from = sources): Promise<void> {
  const found = await Promise.all(from.map(({ module, path }) => definitionsIn(module, path)));
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
  const files = /\.ya?ml$/.test(path) ? [place] : (await readdir(place)).map((name) => join(place, name));
  const texts = await Promise.all(files.map((file) => readFile(file, "utf8")));
  return texts
    .flatMap((text) => parseAllDocuments(text).map((document) => document.toJS() as Definition | null))
    .filter((one) => one !== null && one.kind === "CustomResourceDefinition")
    .flatMap((one) => one ?? []);
}

/** An ingress controller of the tests, on this machine beside the cluster's own. */
export interface RunningController {
  readonly url: string;
  /** Where it takes requests; a Gateway's listener has to name it. */
  readonly port: number;
  /** Where it shows what it counts. */
  readonly metricsUrl: string;
  /** Kills what reads the cluster, where that is another process than the one that takes requests, and starts it again. */
  readonly restartControl?: () => Promise<void>;
  /** Kills what takes requests, and starts it again. */
  restartProxy(): Promise<void>;
  stop(): Promise<void>;
}

/** What this Traefik serves of the annotations of ingress-nginx. */
export const traefikClass = { name: "conformance", controller: "example.com/conformance" } as const;

/** Traefik with its three providers: the annotations of ingress-nginx in a class of their own, its CRDs, and the Gateway API. */
export async function startTraefik(kubeconfigPath: string): Promise<RunningController> {
  const tool = await ensureClusterTool("traefik", {
    signal: AbortSignal.timeout(600_000),
    progress: () => {},
  });
  const [port = 0, administration = 0] = await freePorts(2);
  const gateway = "--providers.kubernetesgateway";
  const nginx = "--providers.kubernetesingressnginx";
  const traefik = new Program({
    name: "Traefik",
    program: tool.programs.traefik ?? "traefik",
    args: [
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
      `${nginx}=true`,
      `${nginx}.ingressclass=${traefikClass.name}`,
      `${nginx}.controllerclass=${traefikClass.controller}`,
      `${nginx}.publishstatusaddress=127.0.0.1`,
      "--serverstransport.forwardingtimeouts.idleconntimeout=3s",
      "--providers.providersthrottleduration=200ms",
      "--log.level=ERROR",
      "--log.nocolor=true",
    ],
    env: { ...tool.env, KUBECONFIG: kubeconfigPath },
    isUp: answersWell(`http://127.0.0.1:${administration}/ping`),
  });
  await traefik.start();
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    metricsUrl: `http://127.0.0.1:${administration}/metrics`,
    restartProxy: () => traefik.restart(),
    stop: () => traefik.end(),
  };
}
