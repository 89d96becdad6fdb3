import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { modelswitch, programUnderTest, resultOf } from "./cli-process.ts";
import { TestNamespace, testImages } from "./test-cluster.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-cli-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const config = (text: string) => writeFile(join(folder, "modelswitch.config.ts"), text);
const goodConfig = (more = "") => `
  import { defineConfig, mlserver } from "modelswitch";
  export default defineConfig({
    name: "fraud",
    server: mlserver({ modelName: "fraud" }),
    release: { image: "fraud:1" },
    ingress: { host: "fraud.example.com" },
    ${more}
  });`;

/** A kubeconfig for a server on this machine. */
async function kubeconfigFor(port: number): Promise<string> {
  const file = join(folder, "kubeconfig");
  const contents = {
    "current-context": "c",
    clusters: [
      { name: "c", cluster: { server: `https://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } },
    ],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    users: [{ name: "u", user: {} }],
  };
  await writeFile(file, JSON.stringify(contents));
  return file;
}

async function listen(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** A port that nothing listens on. */
async function closedPort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, "close");
  return port;
}

describe("a wrong configuration", () => {
  test.each(["status", "up", "plan", "destroy", "switch green"])(
    "is refused by %s with file, key and value",
    async (command) => {
      await config(
        goodConfig('live: "gren", routr: "nginx",').replace("defineConfig({", "defineConfig(<never>{"),
      );
      const result = await modelswitch([...command.split(" "), "-C", folder, "--yes"]);
      expect(result.exitCode).toBe(2);
      expect(result.stdout).toBe("");
      expect(result.stderr).toContain(`${join(folder, "modelswitch.config.ts")} has 2 mistakes:`);
      expect(result.stderr).toContain('live: "gren" is none of blue, green; did you mean "green"?');
      expect(result.stderr).toContain('routr: is an unknown key; did you mean "router"?');
    },
  );

  test("has the same facts in JSON", async () => {
    await config("export default { name: 5 };");
    const result = await modelswitch(["status", "-C", folder, "--json"]);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toBe("");
    expect(resultOf(result.stdout)).toMatchObject({
      type: "error",
      error: {
        code: "config-invalid",
        exitCode: 2,
        details: { file: join(folder, "modelswitch.config.ts") },
      },
    });
  });
});

describe("a cluster that cannot be reached", () => {
  test.each(["status", "up", "plan", "switch green"])("is said by %s, with its address", async (command) => {
    await config(goodConfig());
    const port = await closedPort();
    const result = await modelswitch(
      [...command.split(" "), "-C", folder, "--kubeconfig", await kubeconfigFor(port)],
      { env: { PULUMI_CONFIG_PASSPHRASE: "x" } },
    );
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toContain(`https://127.0.0.1:${port} cannot be reached`);
    expect(result.stderr).toContain("--context");
    expect(result.stderr).not.toMatch(/^\s+at /m);
  });

  test("is one failed check of doctor, and the rest goes on", async () => {
    await config(goodConfig());
    const kubeconfig = await kubeconfigFor(await closedPort());
    const result = await modelswitch(["doctor", "-C", folder, "--kubeconfig", kubeconfig, "--json"]);
    expect(result.exitCode).toBe(1);
    const { checks } = resultOf(result.stdout) as { checks: { name: string; state: string }[] };
    expect(checks.filter(({ state }) => state === "failed").map(({ name }) => name)).toContain("api-server");
    expect(checks).toContainEqual(expect.objectContaining({ name: "config", state: "ok" }));
  });

  test("no cluster at all: the choices are named", async () => {
    await config(goodConfig());
    const result = await modelswitch(["status", "-C", folder], {
      env: { KUBECONFIG: undefined, HOME: folder, XDG_STATE_HOME: folder },
    });
    expect(result.exitCode).toBe(2);
    for (const choice of ["--kubeconfig", "--context", "--cluster", "modelswitch cluster up"]) {
      expect(result.stderr).toContain(choice);
    }
  });
});

describe("a command that waits", () => {
  let silent: Server;
  let kubeconfig: string;
  beforeEach(async () => {
    // Takes connections and never answers.
    silent = createServer((socket) => socket.on("error", () => {}));
    kubeconfig = await kubeconfigFor(await listen(silent));
    await config(goodConfig());
  });
  afterEach(() => {
    silent.close();
  });

  test.each(["doctor", "status", "plan", "up", "switch green", "destroy --yes"])(
    "%s ends with 130 on Ctrl-C",
    async (command) => {
      const connected = once(silent, "connection");
      const result = await modelswitch([...command.split(" "), "-C", folder, "--kubeconfig", kubeconfig], {
        env: { PULUMI_CONFIG_PASSPHRASE: "x" },
        onStart: (child) => {
          void connected.then(() => child.kill("SIGINT"));
        },
      });
      expect(result.exitCode).toBe(130);
      expect(result.stderr).toContain(`modelswitch ${command.split(" ")[0]} was interrupted`);
      expect(result.stderr).toContain("hint:");
      expect(result.stdout).toBe("");
    },
  );

  test("SIGTERM is the same, and JSON says so", async () => {
    const connected = once(silent, "connection");
    const result = await modelswitch(["status", "-C", folder, "--kubeconfig", kubeconfig, "--json"], {
      onStart: (child) => void connected.then(() => child.kill("SIGTERM")),
    });
    expect(result.exitCode).toBe(130);
    expect(resultOf(result.stdout)).toMatchObject({ error: { code: "interrupted", exitCode: 130 } });
  });
});

test("a program that never ends is stopped by Ctrl-C", async () => {
  await writeFile(join(folder, "Pulumi.yaml"), "name: endless\nruntime: nodejs\n");
  await writeFile(
    join(folder, "index.ts"),
    'console.error("the program runs");\nexport default () => new Promise(() => setInterval(() => {}, 1000));',
  );
  const result = await modelswitch(["run", folder, "--preview"], {
    env: { PULUMI_CONFIG_PASSPHRASE: "x", PULUMI_BACKEND_URL: undefined },
    onStart: (child) => {
      let seen = "";
      const stop = (text: string) => {
        const before = seen;
        seen += text;
        const says = (all: string) => all.includes("the program runs");
        if (says(seen) && !says(before)) child.kill("SIGINT");
      };
      child.stderr?.on("data", stop);
      child.stdout?.on("data", stop);
    },
  });
  expect(result.stderr).toContain("modelswitch run was interrupted");
  expect(result.exitCode).toBe(130);
});

test("a reader that goes away does not kill a command", async () => {
  const child = spawn(process.execPath, [programUnderTest(), "--help"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  child.stdout.destroy();
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  expect(stderr).toBe("");
  expect(exitCode).toBe(0);
});

describe("on a cluster", () => {
  let namespace: TestNamespace;
  beforeAll(async () => {
    namespace = await TestNamespace.create("cli");
  });
  afterAll(() => namespace.remove());

  const onCluster = (...args: string[]) =>
    modelswitch([...args, "-C", folder, "--kubeconfig", namespace.kubeconfigPath]);
  const create = (path: string, body: object) =>
    namespace.api.json({ method: "POST", path: path.replace("NAMESPACE", namespace.name), body });

  test("init takes over what runs there, and doctor finds it sound", async () => {
    const labels = { app: "spam" };
    await namespace.deploy("spam", testImages.blue, labels);
    await namespace.untilReady("spam");
    await create("/api/v1/namespaces/NAMESPACE/services", {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "spam-http" },
      spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] },
    });
    const service = { name: "spam-http", port: { number: 80 } };
    await create("/apis/networking.k8s.io/v1/namespaces/NAMESPACE/ingresses", {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: { name: "spam" },
      spec: {
        ingressClassName: "nginx",
        rules: [
          {
            host: `${namespace.name}.example.com`,
            http: { paths: [{ path: "/", pathType: "Prefix", backend: { service } }] },
          },
        ],
      },
    });

    const written = await onCluster("init", "--from", "ingress/spam", "--namespace", namespace.name);
    expect(written.exitCode, written.stderr).toBe(0);
    expect(written.stdout).toContain("spam-http");
    const text = await readFile(join(folder, "modelswitch.config.ts"), "utf8");
    expect(text).toContain(`image: "${testImages.blue}"`);
    expect(text).toContain(`host: "${namespace.name}.example.com"`);
    expect((await onCluster("init")).exitCode).toBe(2);

    const checked = await onCluster("doctor", "--json");
    expect(checked.stderr).toBe("");
    expect(checked.exitCode).toBe(0);
    const { checks } = resultOf(checked.stdout) as {
      checks: { name: string; state: string; detail: string }[];
    };
    const states = Object.fromEntries(checks.map(({ name, state }) => [name, state]));
    expect(states).toMatchObject({
      config: "ok",
      kubeconfig: "ok",
      "api-server": "ok",
      namespace: "ok",
      permissions: "ok",
      "ingress-class": "ok",
      image: "ok",
      identity: "ok",
      host: "warning",
      dns: "skipped",
    });
  });

  test("doctor names what is not there", async () => {
    await config(
      goodConfig('namespace: "nowhere",').replace('host: "fraud.example.com"', '$&, className: "ngnix"'),
    );
    const result = await onCluster("doctor");
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(/FAILED +Namespace +the namespace nowhere does not exist/);
    expect(result.stdout).toContain('there is no IngressClass ngnix; did you mean "nginx"?');
  });

  test("doctor counts what an account may not do", async () => {
    const account = await create("/api/v1/namespaces/NAMESPACE/serviceaccounts", {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "nobody" },
    }).then(() =>
      namespace.api.json<{ status: { token: string } }>({
        method: "POST",
        path: `/api/v1/namespaces/${namespace.name}/serviceaccounts/nobody/token`,
        body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
      }),
    );
    const file = join(folder, "nobody");
    await writeFile(
      file,
      JSON.stringify({
        "current-context": "c",
        clusters: [
          { name: "c", cluster: { server: namespace.api.server, "insecure-skip-tls-verify": true } },
        ],
        contexts: [{ name: "c", context: { cluster: "c", user: "u", namespace: namespace.name } }],
        users: [{ name: "u", user: { token: account.status.token } }],
      }),
    );
    const result = await modelswitch(["doctor", "-C", folder, "--kubeconfig", file]);
    expect(result.exitCode).toBe(1);
    expect(result.stdout).toMatch(
      /FAILED +Permissions +the account lacks in the namespace .*deployments\.apps/,
    );
    expect(result.stdout).toMatch(/skipped +Namespace/);
  });

  test("a context that is not there is refused, and those that are there are named", async () => {
    await config(goodConfig());
    const result = await onCluster("status", "--context", "production");
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain('no context "production"');
    expect(result.stderr).toContain("Its contexts are:");
  });
});
