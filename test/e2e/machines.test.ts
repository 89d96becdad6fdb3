import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubeconfigOf } from "../support/kubeconfig.ts";
import { connectProxy, type TestProxy } from "../support/proxies.ts";
import { ModelProject } from "./model-project.ts";
import { testImages } from "./test-cluster.ts";

interface Kubeconfig {
  readonly clusters: readonly { readonly name: string; readonly cluster: Record<string, unknown> }[];
  readonly users: readonly { readonly name: string; readonly user: Record<string, string> }[];
}

/** Nothing listens there: whoever goes to the wrong cluster fails. */
const elsewhere = "https://127.0.0.1:1";

let project: ModelProject;
let proxy: TestProxy;
let home: string;

beforeAll(async () => {
  project = await ModelProject.create("machines");
  proxy = await connectProxy();
  home = join(project.folder, "home");
  mkdirSync(join(home, ".kube"), { recursive: true });
});

afterAll(async () => {
  proxy.close();
  await project.remove();
});

async function ours(): Promise<Kubeconfig> {
  const { parse } = await import("yaml");
  return parse(readFileSync(project.namespace.kubeconfigPath, "utf8")) as Kubeconfig;
}

/** A kubeconfig of the test's cluster under the context `real`, which is not its current one. */
async function realFile(
  name: string,
  cluster: Record<string, unknown> = {},
  user?: Record<string, unknown>,
): Promise<string> {
  const { clusters, users } = await ours();
  const file = join(project.folder, name);
  const config = {
    clusters: [{ name: "real", cluster: { ...clusters[0]?.cluster, ...cluster } }],
    users: [{ name: "real", user: user ?? users[0]?.user }],
    contexts: [{ name: "real", context: { cluster: "real", user: "real" } }],
  };
  writeFileSync(file, JSON.stringify(config));
  return file;
}

describe("on a machine with many clusters, in a folder with an awkward name, behind a proxy", () => {
  test("everything that is read and written is in the chosen cluster, the state too; its copy is the user's", async () => {
    const folder = join(project.folder, "models #1, 100% sure?");
    mkdirSync(folder);
    writeFileSync(join(project.folder, "first"), kubeconfigOf(elsewhere, { other: elsewhere }));
    writeFileSync(join(home, ".kube", "config"), kubeconfigOf(elsewhere, { real: elsewhere }));
    const KUBECONFIG = `${join(project.folder, "first")}:/not/there:${await realFile("second")}`;
    const seen = join(project.folder, "seen-by-the-hook");
    await project.configure({
      slots: undefined,
      release: { image: testImages.blue, replicas: 1, imagePullPolicy: "Never" },
      rollout: {
        settle: 1,
        soak: 1,
        drain: 1,
        hooks: [
          {
            name: "look",
            before: "shift",
            run: [
              "sh",
              "-c",
              `"$KUBECTL" config view --minify > '${seen}'; "$KUBECTL" get ingress -n ${project.namespace.name} -o name >> '${seen}'`,
            ],
          },
        ],
      },
    });
    renameSync(project.configFile, join(folder, "modelswitch.config.ts"));
    const env = {
      HOME: home,
      KUBECONFIG,
      KUBECTL: process.env.MODELSWITCH_TEST_KUBECTL,
      MODELSWITCH_STATE: undefined,
      XDG_STATE_HOME: undefined,
      XDG_CACHE_HOME: process.env.XDG_CACHE_HOME ?? join(process.env.HOME ?? "", ".cache"),
      https_proxy: `http://127.0.0.1:${proxy.port}`,
      http_proxy: "http://127.0.0.1:1",
      no_proxy: "",
    };
    const command = async (...args: string[]) => {
      const { exitCode, stdout, stderr } = await project.command([...args, "--json"], { cwd: folder, env });
      expect(exitCode, stdout + stderr).toBe(0);
      return stdout;
    };
    await command("up", "--context", "real");
    await command("release", "--set", `image=${testImages.green}`, "--context", "real");
    expect(await command("status", "--context", "real")).toContain('"live":"green"');

    // The API server through the proxy, what is on this machine past it.
    const { clusters } = await ours();
    const server = new URL(String(clusters[0]?.cluster.server)).host;
    expect([...new Set(proxy.asked)]).toEqual([server]);
    // What a hook runs knows the chosen cluster alone.
    expect(readFileSync(seen, "utf8")).toContain(`server: https://${server}`);
    expect(readFileSync(seen, "utf8")).toContain("ingress.networking.k8s.io/fraud");
    // The state is where the documentation says, and nowhere else.
    const { api, name } = project.namespace;
    expect(await api.find(`/api/v1/namespaces/${name}/secrets/fraud-modelswitch.${name}`)).toBeDefined();
    expect(existsSync(join(folder, ".modelswitch", "state"))).toBe(false);
    const copies = readdirSync(join(home, ".local", "state", "modelswitch", "stacks"));
    expect(copies).toEqual([expect.stringMatching(new RegExp(`^${name}-[0-9a-f]{16}$`))]);
    const [copy = ""] = copies;
    const stacks = join(
      ...[home, ".local", "state", "modelswitch", "stacks", copy],
      ...[".modelswitch", "state", ".pulumi", "stacks", "modelswitch-fraud"],
    );
    expect(readdirSync(stacks)).toContain(`${name}.json`);
    expect(readdirSync(project.folder).filter((name) => name.startsWith("models"))).toEqual([
      "models #1, 100% sure?",
    ]);
    // No credential stays in it.
    const state = readFileSync(join(stacks, `${project.namespace.name}.json`), "utf8");
    expect(state).not.toMatch(/client-key-data|"kubeconfig"/);

    await command("destroy", "--yes", "--context", "real");
  });
});

describe("credentials and proxies of a kubeconfig", () => {
  test("a proxy-url is used", async () => {
    const before = proxy.asked.length;
    const file = await realFile("proxied", { "proxy-url": `http://127.0.0.1:${proxy.port}` });
    const { exitCode, stderr } = await project.command(
      ["init", "--from", "ingress/none", "--kubeconfig", file, "--context", "real"],
      { env: { KUBECONFIG: undefined } },
    );
    // It got an answer: there is no such Ingress.
    expect(exitCode, stderr).not.toBe(0);
    expect(stderr).not.toContain("cannot be reached");
    expect(proxy.asked.length).toBeGreaterThan(before);
  });

  test("a plug-in beside the kubeconfig gives the certificate, once for a command; one that hangs has a deadline", async () => {
    const { users } = await ours();
    const user = users[0]?.user ?? {};
    const decoded = (name: string) => Buffer.from(user[name] ?? "", "base64").toString();
    const runs = join(project.folder, "runs");
    const answer = {
      kind: "ExecCredential",
      apiVersion: "client.authentication.k8s.io/v1",
      status: {
        clientCertificateData: decoded("client-certificate-data"),
        clientKeyData: decoded("client-key-data"),
      },
    };
    writeFileSync(join(project.folder, "answer.json"), JSON.stringify(answer));
    const plugin = join(project.folder, "login");
    writeFileSync(
      plugin,
      `#!/bin/sh\nprintf %s "$KUBERNETES_EXEC_INFO" > '${runs}'.$$\ncat '${project.folder}/answer.json'\n`,
    );
    chmodSync(plugin, 0o755);
    const exec = {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "./login",
      interactiveMode: "Never",
      provideClusterInfo: true,
    };
    const file = await realFile("plugged", {}, { exec });
    if (!existsSync(project.configFile)) await project.configure();
    const { exitCode, stdout, stderr } = await project.command(
      ["doctor", "--kubeconfig", file, "--context", "real", "--json"],
      { env: { KUBECONFIG: undefined } },
    );
    expect(stdout + stderr, String(exitCode)).toMatch(/API server/i);
    expect(stdout).not.toContain("credential-plugin-failed");
    const told = readdirSync(project.folder).filter((name) => name.startsWith("runs."));
    expect(told).toHaveLength(1);
    const info = JSON.parse(readFileSync(join(project.folder, told[0] ?? ""), "utf8")) as {
      readonly spec: { readonly cluster: Record<string, unknown> };
    };
    const { clusters } = await ours();
    expect(info.spec.cluster.server).toBe(clusters[0]?.cluster.server);
  });
});
