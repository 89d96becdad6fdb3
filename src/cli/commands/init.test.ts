import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { changed, foundInventory } from "../../../test/support/found.ts";
import { Captured, Keyboard, runMain } from "../../../test/unit/run-main.ts";
import { presetNames, withoutIdentity } from "../../component/servers/preset-server.ts";
import { readConfig } from "../../config/file/read.ts";

let folder: string;
let server: Server | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "modelswitch-init-"));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  server?.close();
  server = undefined;
});

const init = (...argv: string[]) => runMain(["init", "-C", folder, ...argv], { env: { HOME: folder } });
const written = () => readFileSync(join(folder, "modelswitch.config.ts"), "utf8");

describe("init", () => {
  test("writes a valid configuration from its options, and keeps the state out of git", async () => {
    const result = await init("--name", "fraud", "--image", "reg.io/fraud:1.4", "--host", "models.acme.io");
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain("modelswitch up");
    expect((await readConfig({ folder, configPath: undefined })).config).toEqual({
      name: "fraud",
      server: "mlserver",
      release: { image: "reg.io/fraud:1.4" },
      ingress: { host: "models.acme.io" },
      rollout: { steps: "auto" },
    });
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe(".modelswitch/\n");
  });

  test("writes the file that --config names, by an absolute path too", async () => {
    const file = join(folder, "fraud.config.ts");
    const result = await runMain(["init", "-C", folder, "--config", file, "--name", "fraud"], {
      env: { HOME: folder },
    });
    expect(result.exitCode).toBe(0);
    expect((await readConfig({ folder, configPath: file })).config.name).toBe("fraud");
  });

  test("says what is still an example", async () => {
    const { stdout } = await init("--name", "fraud", "--server", "custom");
    expect(stdout).toContain("ingress.host: fraud.example.com is an example");
    expect(stdout).toContain("identity of your model server");
    expect(written()).toContain("custom({");
  });

  test("takes every preset, and asks for an identity where the server has none", async () => {
    for (const preset of presetNames) {
      const { exitCode, stdout } = await init("--name", "fraud", "--server", preset, "--force");
      expect(exitCode).toBe(0);
      const { config } = await readConfig({ folder, configPath: undefined });
      expect(config.server).toBe(preset);
      expect(config.identity === undefined).toBe(!withoutIdentity.includes(preset));
      expect(stdout.includes(`docs/servers/${preset}.md`)).toBe(withoutIdentity.includes(preset));
    }
  });

  test("keeps what is in .gitignore", async () => {
    writeFileSync(join(folder, ".gitignore"), "node_modules");
    await init();
    await init("--force");
    expect(readFileSync(join(folder, ".gitignore"), "utf8")).toBe("node_modules\n.modelswitch/\n");
  });

  test("never overwrites without --force, whatever the format", async () => {
    writeFileSync(join(folder, "modelswitch.config.ts"), "mine");
    const refused = await init("--name", "fraud");
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("--force");
    expect(written()).toBe("mine");
    expect((await init("--name", "fraud", "--force")).exitCode).toBe(0);
    rmSync(join(folder, "modelswitch.config.ts"));
    writeFileSync(join(folder, "modelswitch.config.yaml"), "name: mine");
    const other = await init("--force", "--json");
    expect(JSON.parse(other.stdout)).toMatchObject({ error: { code: "config-exists" } });
    expect(existsSync(join(folder, "modelswitch.config.ts"))).toBe(false);
  });

  test.each([
    [["--name", "Fraud"], "no model name"],
    [["--image", "a b"], "contains spaces"],
    [["--host", "https://a.b"], 'did you mean "a.b"?'],
    [["--from", "fraud"], "ingress/NAME"],
    [["--server", "tritn"], 'did you mean "triton"?'],
  ])("refuses %j before it writes anything", async (argv, part) => {
    const result = await init(...argv);
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain(part);
    expect(existsSync(join(folder, "modelswitch.config.ts"))).toBe(false);
  });

  test("a folder that is not there", async () => {
    const result = await runMain(["init", "-C", join(folder, "nowhere")], {});
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("does not exist");
  });

  test("asks on a terminal, again after a wrong answer", async () => {
    const keyboard = new Keyboard(true);
    const stderr = new Captured(true);
    const running = runMain(["init", "-C", folder], { env: { HOME: folder }, keyboard, stderr });
    const answer = async (question: string, text: string) => {
      const before = stderr.text.length;
      while (!stderr.text.includes(question)) await new Promise((resolve) => setImmediate(resolve));
      keyboard.write(`${text}\n`);
      while (stderr.text.length === before) await new Promise((resolve) => setImmediate(resolve));
    };
    await answer("Name of the model [", "Fraud");
    await answer("is no model name", "fraud");
    await answer("Image of the model server [registry.example.com/fraud:1.0]", "fraud:2");
    await answer("Host name that clients use [fraud.example.com]", "models.acme.io");
    await answer(`Model server (${presetNames.join(", ")} or custom) [mlserver]`, "");
    expect((await running).exitCode).toBe(0);
    expect(written()).toContain('image: "fraud:2"');
  });
});

describe("init --from ingress/NAME", () => {
  const inventory = foundInventory();
  const objects: Record<string, unknown> = {
    ...inventory,
    replicasets: inventory.replicaSets,
    ingressclasses: [{ metadata: { name: "nginx" }, spec: { controller: "k8s.io/ingress-nginx" } }],
  };

  async function kubeconfig(): Promise<string> {
    const listening = createServer((request, response) => {
      const kind = request.url?.split("?")[0]?.split("/").at(-1) ?? "";
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ items: objects[kind] ?? [] }));
    });
    server = listening;
    await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
    const file = join(folder, "kubeconfig");
    const url = `http://127.0.0.1:${(listening.address() as AddressInfo).port}`;
    writeFileSync(
      file,
      JSON.stringify({
        "current-context": "c",
        clusters: [{ name: "c", cluster: { server: url, "insecure-skip-tls-verify": true } }],
        contexts: [{ name: "c", context: { cluster: "c", user: "u", namespace: "ml" } }],
        users: [{ name: "u", user: {} }],
      }),
    );
    return file;
  }

  test("describes what runs so that `adopt` finds it unchanged, and shows the plan", async () => {
    const result = await init("--kubeconfig", await kubeconfig(), "--from", "ingress/fraud");
    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stdout).toContain("Deployment fraud-server: 2 replicas of reg.io/fraud:7");
    expect(result.stdout).toContain("modelswitch adopt");
    const { config } = await readConfig({ folder, configPath: undefined });
    expect(config).toMatchObject({
      name: "fraud",
      namespace: "ml",
      server: { httpPort: 9000, readiness: { path: "/ready" } },
      release: { image: "reg.io/fraud:7", replicas: 2 },
      slots: {
        blue: { deployment: "fraud-server", service: "fraud-api", selector: { app: "fraud" } },
        green: { selector: { app: "fraud-green", version: "green" } },
      },
      ingress: { name: "fraud", host: "models.acme.io" },
      servicePort: 8000,
    });
  });

  test("describes a server without HTTP, and guesses the mark of what runs", async () => {
    const annotations = { "nginx.ingress.kubernetes.io/backend-protocol": "GRPC" };
    const probe = { grpc: { port: 9000, service: "ready" } };
    const grpc = changed(
      "deployments.0.spec.template.spec.containers.0.readinessProbe",
      probe,
      changed("ingresses.0.metadata.annotations", annotations),
    );
    Object.assign(objects, { ingresses: grpc.ingresses, deployments: grpc.deployments });
    const result = await init("--kubeconfig", await kubeconfig(), "--from", "ingress/fraud");
    Object.assign(objects, { ingresses: inventory.ingresses, deployments: inventory.deployments });
    expect(result.exitCode, result.stderr).toBe(0);
    expect(result.stdout).toContain("release.mark: the text that the answers of what runs have there");
    const { config } = await readConfig({ folder, configPath: undefined });
    expect(config).toMatchObject({
      server: {
        http: false,
        httpPort: 9000,
        readiness: { service: "ready" },
        identity: { grpc: { method: "inference.GRPCInferenceService/ModelMetadata" } },
      },
      release: { image: "reg.io/fraud:7", mark: "7" },
      ingress: { protocol: "grpc" },
    });
  });

  test("refuses what cannot be taken over, and options that contradict what runs", async () => {
    const file = await kubeconfig();
    objects.deployments = [];
    const refused = await init("--kubeconfig", file, "--from", "ingress/fraud");
    objects.deployments = inventory.deployments;
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain("no Deployment runs pods for the Service fraud-api");
    const other = await init("--kubeconfig", file, "--from", "ingress/fraud", "--image", "x:1");
    expect(other.stderr).toContain("--image cannot be given with --from");
    expect(existsSync(join(folder, "modelswitch.config.ts"))).toBe(false);
  });

  test("names the Ingresses there are when it is another", async () => {
    const result = await init("--kubeconfig", await kubeconfig(), "--from", "ingress/spam");
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toContain("There are: fraud.");
  });

  test("a cluster that cannot be reached is an error then, and only then", async () => {
    const file = await kubeconfig();
    server?.close();
    expect((await init("--kubeconfig", file, "--from", "ingress/fraud")).exitCode).toBe(1);
    expect((await init("--kubeconfig", file)).exitCode).toBe(0);
  });
});
