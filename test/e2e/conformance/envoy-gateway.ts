import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect as connectSocket, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { readRecord } from "../../../packages/local-cluster/src/cluster/cluster-state.ts";
import { namespacePaths } from "../../../packages/local-cluster/src/cluster/namespaces.ts";
import { clusterFolders } from "../../../packages/local-cluster/src/cluster/state-folder.ts";
import type { KubernetesApi } from "../../../src/kubernetes/api.ts";
import { connect } from "../../../src/kubernetes/connect.ts";
import { stateFolder } from "../../../src/support.ts";
import { ensureTestTool } from "../../tools/ensure.ts";
import { installKinds, type RunningController } from "../controllers.ts";
import { until } from "../test-cluster.ts";
import { answersWell, Program } from "./program.ts";

/** The Gateway that it serves, in a namespace of its own: each Gateway would be an Envoy. */
export const envoyGateway = { name: "edge", namespace: "envoy-gateway-tests" } as const;

/** In the node's network, where nothing else has them. Those of the controller are fixed. */
const ports = { web: 18_880, admin: 18_881, health: 8_081 } as const;
/** What the controller takes this Envoy for; the one of the wheel is newer. */
const envoyVersion = "1.40.0";

/**
 * Envoy Gateway and the Envoy that it configures, as processes in the network of the cluster's node: it listens at fixed ports and at all addresses.
 * It starts and ends its Envoy itself; to kill each of them alone, a script stands in for that, which notes the arguments.
 */
export async function startEnvoyGateway(kubeconfigPath: string): Promise<RunningController> {
  const options = { signal: AbortSignal.timeout(3_600_000), progress: () => {} };
  const [gateway, envoy] = await Promise.all([
    ensureTestTool("envoy-gateway", options),
    ensureTestTool("envoy", options),
  ]);
  const cluster = clusterFolders(stateFolder(process.env), process.env.MODELSWITCH_TEST_CLUSTER ?? "");
  const address = readRecord(cluster)?.addresses.node;
  if (address === undefined) throw new Error("Envoy Gateway runs beside the node of a local cluster.");
  const inNetwork = [`--net=${namespacePaths(cluster).net}`, "--"];

  const folder = await mkdtemp(join(tmpdir(), "modelswitch-envoy-gateway-"));
  const program = gateway.programs["envoy-gateway"] ?? "envoy-gateway";
  const argumentsFile = join(folder, "arguments");
  await writeConfiguration(folder, argumentsFile);
  const env = { KUBECONFIG: kubeconfigPath, ENVOY_GATEWAY_NAMESPACE: envoyGateway.namespace };
  await promisify(execFile)(program, ["certgen", "--local", "--config-home", folder], {
    env: { ...process.env, ...env },
  });
  await makeGateway(kubeconfigPath);

  const control = new Program({
    name: "Envoy Gateway",
    program: "nsenter",
    args: [
      ...inNetwork,
      ...["unshare", "--mount", "sh", "-c", withCertificates, "sh"],
      ...[join(folder, "certs", "envoy-gateway"), join(folder, "root")],
      ...[program, "server", "--config-path", join(folder, "configuration.yaml")],
    ],
    env,
    isUp: answersWell(`http://${address}:${ports.health}/readyz`),
  });
  const startEnvoy = async () => {
    await until("Envoy Gateway starts its Envoy", async () => {
      const found = await readFile(argumentsFile, "utf8").catch(() => "");
      return found.endsWith("\0");
    });
    const proxy = new Program({
      name: "Envoy",
      program: "nsenter",
      args: [
        ...inNetwork,
        envoy.programs.envoy ?? "envoy",
        ...envoyArguments(await readFile(argumentsFile, "utf8"), address),
      ],
      isUp: answersWell(`http://${address}:${ports.admin}/ready`),
    });
    await proxy.start();
    return proxy;
  };
  await control.start();
  // What is started here is ended here, if nobody gets to see it.
  const ended = async (error: unknown): Promise<never> => {
    await control.end("SIGKILL");
    throw error;
  };
  const proxy = await startEnvoy().catch(ended);
  const door = await openDoor(address);
  return {
    url: `http://127.0.0.1:${door.port}`,
    port: ports.web,
    metricsUrl: `http://${address}:${ports.admin}/stats/prometheus`,
    restartControl: () => control.restart(),
    restartProxy: () => proxy.restart(),
    stop: async () => {
      await door.close();
      await proxy.end("SIGKILL");
      await control.end("SIGKILL");
      await rm(folder, { recursive: true, force: true });
      const { api } = connect({ path: kubeconfigPath });
      await removeClass(api);
      await api.request({ method: "DELETE", path: `/api/v1/namespaces/${envoyGateway.namespace}` });
    },
  };
}

/** Passes connections on from this machine's loopback: no load goes elsewhere. What becomes of one end becomes of the other. */
async function openDoor(host: string): Promise<{ readonly port: number; close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const inner = connectSocket({ host, port: ports.web, allowHalfOpen: true });
    const ends = [client, inner] as const;
    for (const [end, other] of [ends, [inner, client]] as const) {
      open.add(end);
      end.setNoDelay(true);
      end.on("error", () => other.resetAndDestroy());
      end.on("close", () => open.delete(end));
      end.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const listening = server.address();
  if (listening === null || typeof listening === "string") throw new Error("a port was expected");
  return {
    port: listening.port,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * Runs a program that looks for its certificates in /certs, without such a folder on this machine: in a root folder that is a copy of mounts, seen by
 * nobody else and gone with the program.
 */
const withCertificates = `set -e
certificates=$1; root=$2; shift 2
mkdir -p "$root"
mount -t tmpfs tmpfs "$root"
for path in /*; do
  if [ -L "$path" ]; then cp -a "$path" "$root"
  elif [ -d "$path" ]; then mkdir "$root$path"; mount --rbind "$path" "$root$path"; fi
done
mkdir -p "$root/certs"
mount --bind "$certificates" "$root/certs"
exec chroot "$root" "$@"`;

async function writeConfiguration(folder: string, argumentsFile: string): Promise<void> {
  const host = {
    configHome: folder,
    dataHome: join(folder, "data"),
    stateHome: join(folder, "state"),
    runtimeDir: join(folder, "run"),
  };
  const configuration = {
    apiVersion: "gateway.envoyproxy.io/v1alpha1",
    kind: "EnvoyGateway",
    gateway: { controllerName: "gateway.envoyproxy.io/gatewayclass-controller" },
    logging: { level: { default: "error" } },
    provider: {
      type: "Custom",
      custom: {
        resource: { type: "Kubernetes", kubernetes: { leaderElection: { disable: true } } },
        infrastructure: { type: "Host", host },
      },
    },
  };
  // YAML takes JSON.
  await writeFile(join(folder, "configuration.yaml"), JSON.stringify(configuration));
  const standIn = join(folder, "data", "envoy-versions", envoyVersion, "bin", "envoy");
  await mkdir(join(standIn, ".."), { recursive: true });
  const script = `#!/bin/sh
printf '%s\\0' "$@" > '${argumentsFile}.new' && mv '${argumentsFile}.new' '${argumentsFile}'
while kill -0 "$PPID" 2> /dev/null; do sleep 1; done
`;
  await writeFile(standIn, script, { mode: 0o755 });
}

/** Those with which the controller would start its Envoy, which is administered at an address that the tests reach. */
function envoyArguments(noted: string, address: string): readonly string[] {
  const all = noted.split("\0").slice(0, -1);
  const own = all.slice(0, all.indexOf("--"));
  return own
    .flatMap((one, index) => {
      if (one === "--admin-address-path" || own[index - 1] === "--admin-address-path") return [];
      if (own[index - 1] !== "--config-yaml") return [one];
      const administered = one.replace(
        /(socket_address:\s+address: )\S+(\s+port_value: )0\b/,
        `$1${address}$2${ports.admin}`,
      );
      if (administered === one) throw new Error(`No address to administer Envoy is in:\n${one}`);
      return [administered];
    })
    .concat("--disable-hot-restart");
}

const group = "gateway.networking.k8s.io/v1";
const ownGroup = "gateway.envoyproxy.io/v1alpha1";

const classPath = `/apis/${group}/gatewayclasses/envoy-gateway`;

/** A class outlives its controller: that keeps it as long as a Gateway is of it, and takes none that is being deleted. */
async function removeClass(api: KubernetesApi): Promise<void> {
  await api.request({
    method: "PATCH",
    path: classPath,
    headers: { "content-type": "application/merge-patch+json" },
    body: { metadata: { finalizers: null } },
  });
  await api.request({ method: "DELETE", path: classPath });
  await until("the class is gone", async () => (await api.find(classPath)) === undefined);
}

/** A class of its own, and one Gateway that takes the routes of all namespaces. */
async function makeGateway(kubeconfigPath: string): Promise<void> {
  const { api } = connect({ path: kubeconfigPath });
  const { name, namespace } = envoyGateway;
  await removeClass(api);
  await until("a former namespace is gone", async () => {
    const found = await api.find(`/api/v1/namespaces/${namespace}`);
    return found?.metadata?.deletionTimestamp === undefined;
  });
  await installKinds(api, [
    {
      module: "github.com/envoyproxy/gateway@v1.9.1",
      path: "charts/gateway-helm/charts/crds/crds/generated",
    },
  ]);
  const put = (path: string, apiVersion: string, kind: string, metadata: object, spec?: object) =>
    api.json({
      method: "PATCH",
      path,
      query: { fieldManager: "tests", force: true },
      body: { apiVersion, kind, metadata, ...(spec === undefined ? {} : { spec }) },
    });
  await put(`/api/v1/namespaces/${namespace}`, "v1", "Namespace", { name: namespace });
  await put(
    `/apis/${ownGroup}/namespaces/${namespace}/envoyproxies/${name}`,
    ownGroup,
    "EnvoyProxy",
    { name, namespace },
    {
      provider: { type: "Host", host: { envoyVersion } },
      concurrency: 2,
      // It would open /dev/stdout, which is a socket here.
      telemetry: { accessLog: { disable: true } },
    },
  );
  await put(
    classPath,
    group,
    "GatewayClass",
    { name: "envoy-gateway" },
    {
      controllerName: "gateway.envoyproxy.io/gatewayclass-controller",
      parametersRef: { group: "gateway.envoyproxy.io", kind: "EnvoyProxy", name, namespace },
    },
  );
  const allowedRoutes = { namespaces: { from: "All" } };
  await put(
    `/apis/${group}/namespaces/${namespace}/gateways/${name}`,
    group,
    "Gateway",
    { name, namespace },
    {
      gatewayClassName: "envoy-gateway",
      listeners: [{ name: "web", protocol: "HTTP", port: ports.web, allowedRoutes }],
    },
  );
}
