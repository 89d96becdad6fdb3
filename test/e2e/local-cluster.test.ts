import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { localClusters } from "../../packages/local-cluster/src/index.ts";
import { ensureClusterTool } from "../../packages/local-cluster/src/tools/ensure.ts";
import type { Event } from "../../src/core/events.ts";
import type { LocalCluster, LocalClusterOptions } from "../../src/core/local-cluster.ts";
import type { Tool } from "../../src/tools/tool.ts";
import { buildTestImage } from "../images/test-image.ts";
import { modelswitch, programUnderTest, repository, run } from "./cli-process.ts";
import { type MachineSnapshot, takeSnapshot, usersOfNamespaces } from "./machine-snapshot.ts";

const name = "ms-life";
const state = mkdtempSync(join(tmpdir(), "modelswitch-life-"));
const env = { ...process.env, MODELSWITCH_STATE: state };
const clusters = localClusters({ env });
const folder = join(state, "clusters", name);

function options(signal = new AbortController().signal, events: Event[] = []): LocalClusterOptions {
  return { name, signal, events: (event) => events.push(event) };
}

async function pids(): Promise<Record<string, number>> {
  const { components } = await clusters.status(name);
  return Object.fromEntries(
    components.flatMap((health) => (health.state === "running" ? [[health.component, health.pid]] : [])),
  );
}

function kill(pid: number | undefined): void {
  if (pid === undefined) throw new Error("a component that is to be killed does not run");
  process.kill(pid, "SIGKILL");
}

async function kubectl(cluster: LocalCluster, ...args: string[]) {
  return run(cluster.kubectlPath, args, { env: { KUBECONFIG: cluster.kubeconfigPath }, timeoutMs: 120_000 });
}

/** Answers of the model server through the ingress: the status, or why there was none. */
async function askIngress(cluster: LocalCluster): Promise<number | string> {
  // fetch does not let one set the Host header.
  const { request } = await import("undici");
  try {
    const answer = await request(`${cluster.ingressUrl}/v2/health/ready`, {
      headers: { host: "life.example.com" },
    });
    await answer.body.dump();
    return answer.statusCode;
  } catch (error) {
    return String(error);
  }
}

const manifest = (image: string) =>
  JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    items: [
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: "life" },
        spec: {
          selector: { matchLabels: { app: "life" } },
          template: {
            metadata: { labels: { app: "life" } },
            spec: {
              containers: [
                {
                  name: "server",
                  image,
                  readinessProbe: { httpGet: { path: "/v2/health/ready", port: 8080 }, periodSeconds: 1 },
                },
              ],
            },
          },
        },
      },
      {
        apiVersion: "v1",
        kind: "Service",
        metadata: { name: "life" },
        spec: { selector: { app: "life" }, ports: [{ port: 80, targetPort: 8080 }] },
      },
      {
        apiVersion: "networking.k8s.io/v1",
        kind: "Ingress",
        metadata: { name: "life" },
        spec: {
          ingressClassName: "nginx",
          rules: [
            {
              host: "life.example.com",
              http: {
                paths: [
                  {
                    path: "/",
                    pathType: "Prefix",
                    backend: { service: { name: "life", port: { number: 80 } } },
                  },
                ],
              },
            },
          ],
        },
      },
    ],
  });

/** Brings the image into the cluster and waits until a pod of it is ready. */
async function deploy(cluster: LocalCluster, image: { archivePath: string; name: string }): Promise<void> {
  expect(await clusters.loadImage(name, image.archivePath, AbortSignal.timeout(120_000))).toContain(
    image.name,
  );
  const applied = spawn(cluster.kubectlPath, ["apply", "-f", "-"], {
    env: { ...process.env, KUBECONFIG: cluster.kubeconfigPath },
    stdio: ["pipe", "ignore", "inherit"],
  });
  applied.stdin.end(manifest(image.name));
  expect(await once(applied, "exit")).toEqual([0, null]);
  const rolledOut = await kubectl(cluster, "rollout", "status", "deployment/life", "--timeout=120s");
  expect(rolledOut.exitCode, rolledOut.stderr).toBe(0);
}

describe("a local cluster's life", () => {
  let containerd: Tool;
  let before: MachineSnapshot;
  let cluster: LocalCluster;
  let image: { readonly archivePath: string; readonly name: string };
  const snapshot = () => takeSnapshot([state, name], containerd);

  beforeAll(async () => {
    const signal = AbortSignal.timeout(300_000);
    const built = await buildTestImage({ events: () => {}, signal });
    image = { archivePath: built.archivePath, name: built.names["1"] };
    containerd = await ensureClusterTool("containerd", { signal, progress: () => {} });
    before = snapshot();
  });

  afterAll(async () => {
    await clusters.down(options());
    rmSync(state, { recursive: true, force: true });
  });

  it("starts, and serves a pod through the ingress", async () => {
    const events: Event[] = [];
    cluster = await clusters.up(options(undefined, events));
    const steps = events.flatMap((event) =>
      event.type === "step" && event.state === "done" ? [event.id] : [],
    );
    for (const id of [
      "cluster.tools",
      "cluster.control-plane",
      "cluster.node",
      "cluster.ingress",
      "cluster.addons",
      "cluster",
    ]) {
      expect(steps).toContain(id);
    }
    await deploy(cluster, image);
    await expect.poll(() => askIngress(cluster), { timeout: 10_000 }).toBe(200);
  });

  it("has logs and exec", async () => {
    const logs = await kubectl(cluster, "logs", "deployment/life");
    expect(logs.exitCode, logs.stderr).toBe(0);
    // A second server in the same pod finds its port taken, and says so.
    const executed = await kubectl(cluster, "exec", "deployment/life", "--", "/test-server");
    expect(executed.stdout + executed.stderr).toContain("address already in use");
  });

  it("keeps secrets to its owner and off command lines, and listens to nobody else", async () => {
    const secret = (path: string) => statSync(path).mode & 0o077;
    expect(secret(cluster.kubeconfigPath)).toBe(0);
    expect(secret(folder)).toBe(0);
    for (const file of readdirSync(join(folder, "certificates"))) {
      expect(secret(join(folder, "certificates", file)), file).toBe(0);
    }
    const mine = Object.values(await pids());
    const sockets = await run("ss", ["-Hltnp"]).catch(() => undefined);
    if (sockets === undefined || sockets.exitCode !== 0) return;
    const open = sockets.stdout
      .split("\n")
      .filter((line) => mine.some((pid) => line.includes(`pid=${pid},`)))
      .map((line) => line.trim().split(/\s+/)[3] ?? "");
    expect(open.length).toBeGreaterThan(0);
    const { record } = { record: JSON.parse((await run("cat", [join(folder, "cluster.json")])).stdout) };
    for (const address of open) {
      expect(["127.0.0.1", record.addresses.host]).toContain(address.replace(/:\d+$/, ""));
    }
  });

  it("changes nothing when it is started again, even twice at once", async () => {
    const running = await pids();
    const events: Event[] = [];
    const [first, second] = await Promise.all([
      clusters.up(options(undefined, events)),
      clusters.up(options()),
    ]);
    expect(first).toEqual(cluster);
    expect(second).toEqual(cluster);
    expect(await pids()).toEqual(running);
    expect((await clusters.status(name)).state).toBe("running");
  });

  it("repairs whatever was killed, and pods outlive it", { timeout: 600_000 }, async () => {
    for (const killed of [
      ["kube-apiserver"],
      ["containerd"],
      ["kubelet", "traefik"],
      ["etcd", "kube-proxy"],
      ["coredns", "metrics-server", "local-path-provisioner"],
      ["kube-controller-manager", "kube-scheduler"],
    ]) {
      const running = await pids();
      for (const component of killed) kill(running[component]);
      const isRunning = async () =>
        Object.keys(await pids()).filter((component) => killed.includes(component));
      await expect.poll(isRunning).toEqual([]);
      expect((await clusters.status(name)).state).toBe("degraded");
      expect(await clusters.up(options())).toEqual(cluster);
      expect((await clusters.status(name)).state).toBe("running");
      await expect.poll(() => askIngress(cluster), { timeout: 20_000 }).toBe(200);
      const now = await pids();
      const anew = Object.keys(now).filter((component) => now[component] !== running[component]);
      // Older than their API server, they would go on with what they knew before its outage.
      const followers = killed.includes("kube-apiserver")
        ? ["kube-controller-manager", "kube-scheduler"]
        : [];
      expect(anew.sort()).toEqual([...killed, ...followers].sort());
    }
    const restarts = await kubectl(
      cluster,
      "get",
      "pods",
      "-o",
      "jsonpath={.items[*].status.containerStatuses[*].restartCount}",
    );
    expect(restarts.stdout).toBe("0");
  });

  it("has a log of each component, and follows it across a restart of the component", async () => {
    const kubelet = await modelswitch(["cluster", "logs", "kubelet", "--tail", "5", "--name", name], { env });
    expect(kubelet.exitCode, kubelet.stderr).toBe(0);
    expect(kubelet.stdout.trim().split("\n")).toHaveLength(5);

    const following = spawn(
      process.execPath,
      [programUnderTest(), "cluster", "logs", "coredns", "-f", "--name", name],
      { env, stdio: ["ignore", "pipe", "inherit"] },
    );
    let seen = "";
    following.stdout.setEncoding("utf8").on("data", (text: string) => {
      seen += text;
    });
    const starts = () => seen.split("CoreDNS-").length - 1;
    await expect.poll(starts, { timeout: 30_000 }).toBe(1);
    kill((await pids()).coredns);
    await clusters.up(options());
    await expect.poll(starts, { timeout: 30_000 }).toBe(2);
    following.kill("SIGINT");
    expect((await once(following, "exit"))[0]).toBe(130);
  });

  it("repairs what was half written when the power went", async () => {
    writeFileSync(join(folder, "processes", "traefik.json"), '{"pid":');
    rmSync(join(folder, "certificates", "kubelet.key"));
    expect(await clusters.up(options())).toEqual(cluster);
    expect((await clusters.status(name)).state).toBe("running");
    await expect.poll(() => askIngress(cluster), { timeout: 60_000 }).toBe(200);
  });

  it("starts anew after everything was killed, as after a restart of the machine", async () => {
    for (const pid of Object.values(await pids())) kill(pid);
    await expect.poll(async () => (await clusters.status(name)).state).toBe("stopped");
    for (const namespace of ["net", "mnt"]) await run("umount", [join(folder, "namespaces", namespace)]);
    await run("umount", [join(folder, "namespaces")]);
    expect(await clusters.up(options())).toEqual(cluster);
    await expect.poll(() => askIngress(cluster), { timeout: 60_000 }).toBe(200);
  });

  it("leaves nothing when it is removed", async () => {
    const inodes = ["net", "mnt"].map((kind) => statSync(join(folder, "namespaces", kind)).ino);
    expect(usersOfNamespaces(inodes)).not.toEqual([]);
    await clusters.down(options());
    expect(usersOfNamespaces(inodes)).toEqual([]);
    expect(await clusters.status(name)).toEqual({ cluster: undefined, state: "absent", components: [] });
    expect(existsSync(folder)).toBe(false);
    expect(snapshot()).toEqual(before);
    // Again: there is nothing to do, and that is no error.
    await clusters.down(options());
  });

  it.each([
    ["SIGKILL", "cluster.network started", "down"],
    ["SIGKILL", "cluster.network done", "up"],
    ["SIGKILL", "cluster.containers done", "down"],
    ["SIGKILL", "cluster.control-plane done", "up"],
    ["SIGKILL", "cluster.node started", "down"],
    ["SIGINT", "cluster.control-plane started", "down"],
    ["SIGINT", "cluster.node started", "up"],
  ] as const)("after %s at “%s” it is mended by %s", async (signal, line, next) => {
    const child = spawn(process.execPath, [join(repository, "test", "e2e", "cluster-process.ts"), name], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    for await (const text of child.stdout.setEncoding("utf8")) {
      output += String(text);
      if (output.includes(`${line}\n`)) child.kill(signal);
    }
    expect(output).not.toContain("cluster done");
    if (signal === "SIGINT") expect(output).toContain("failed: interrupted");
    if (next === "up") {
      await clusters.up(options());
      expect((await clusters.status(name)).state).toBe("running");
    }
    await clusters.down(options());
    expect(snapshot()).toEqual(before);
  });

  it("removes what it finds even when all was killed and its record is gone", async () => {
    cluster = await clusters.up({ ...options(), addons: false });
    expect(Object.keys(await pids())).not.toContain("coredns");
    expect((await clusters.status(name)).state).toBe("running");
    await expect(clusters.up({ ...options(), addons: true })).rejects.toMatchObject({
      code: "cluster-differs",
    });
    await deploy(cluster, image);
    const inodes = ["net", "mnt"].map((kind) => statSync(join(folder, "namespaces", kind)).ino);
    for (const pid of Object.values(await pids())) kill(pid);
    await expect.poll(async () => (await clusters.status(name)).state).toBe("stopped");
    // The pod outlives them, and nothing that is recorded leads to it.
    expect(usersOfNamespaces(inodes)).not.toEqual([]);
    writeFileSync(join(folder, "cluster.json"), '{ "schemaVersion"');
    await expect(clusters.up(options())).rejects.toMatchObject({ code: "cluster-record-invalid" });
    rmSync(join(folder, "processes"), { recursive: true });
    const removed = await modelswitch(["cluster", "down", "--name", name], { env });
    expect(removed.exitCode, removed.stderr).toBe(0);
    expect(removed.stdout).toContain("is gone");
    expect(usersOfNamespaces(inodes)).toEqual([]);
    expect(snapshot()).toEqual(before);
  });
});
