import { type ChildProcess, spawn } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Event } from "../../src/core/events.ts";
import { openStack } from "../../src/engine/open.ts";
import type { Stack, StackOptions } from "../../src/engine/stack.ts";
import { readState } from "../../src/engine/state-file.ts";
import { inTime } from "./soak.ts";
import { TestNamespace } from "./test-cluster.ts";

let namespace: TestNamespace;

beforeAll(async () => {
  namespace = await TestNamespace.create("engine");
});

afterAll(async () => {
  await namespace.remove();
});

interface Opened {
  readonly stack: Stack;
  readonly events: Event[];
  readonly stop: AbortController;
}

async function open(
  name: string,
  program: StackOptions["program"],
  more: Partial<StackOptions> = {},
): Promise<Opened> {
  const events: Event[] = [];
  const stop = new AbortController();
  const stack = await openStack({
    project: "engine",
    stack: name,
    folder: namespace.folder,
    secrets: { kind: "passphrase", passphrase: "only for tests" },
    kubeconfig: { path: namespace.kubeconfigPath },
    events: (event) => events.push(event),
    signal: stop.signal,
    program,
    ...more,
  });
  return { stack, events, stop };
}

function configMap(name: string, data: Record<string, pulumi.Input<string>>) {
  return new kubernetes.core.v1.ConfigMap(name, { metadata: { name, namespace: namespace.name }, data });
}

function objectPath(kind: string, name = ""): string {
  const group = kind === "deployments" ? "/apis/apps/v1" : "/api/v1";
  return `${group}/namespaces/${namespace.name}/${kind}/${name}`;
}

describe("a stack", () => {
  let size = "small";
  const program = async () => {
    const map = configMap("settings", { size, token: pulumi.secret(`${size}-token`) });
    return { name: map.metadata.name, token: pulumi.secret("hush") };
  };
  let opened: Opened;

  beforeAll(async () => {
    opened = await open("story", program);
  });

  test("has no outputs before it is there", async () => {
    expect(await opened.stack.outputs()).toBeUndefined();
  });

  test("shows what would be created, and creates nothing", async () => {
    const { changes } = await opened.stack.preview();
    expect(changes).toMatchObject([{ operation: "create", kind: "ConfigMap", name: "settings" }]);
    expect(opened.events).toMatchObject([{ type: "resource", status: "planned" }]);
    expect(await namespace.api.find(objectPath("configmaps", "settings"))).toBeUndefined();
  });

  test("creates it, and keeps its outputs", async () => {
    const { changes, outputs } = await opened.stack.up();
    expect(changes).toHaveLength(1);
    expect(outputs).toEqual({ name: "settings", token: "[secret]" });
    expect(await opened.stack.outputs()).toEqual(outputs);
    expect(await namespace.api.find(objectPath("configmaps", "settings"))).toMatchObject({
      data: { size: "small" },
    });
  });

  test("changes nothing without a change", async () => {
    expect(await opened.stack.up()).toMatchObject({ changes: [], same: 1 });
  });

  test("names the property that differs, and masks secrets", async () => {
    size = "large";
    const { changes } = await opened.stack.preview();
    expect(changes[0]?.properties).toEqual([
      { path: "data.size", before: "small", after: "large" },
      { path: "data.token", before: "[secret]", after: "[secret]" },
    ]);
  });

  test("takes what somebody else changed into its state", async () => {
    await namespace.api.json({
      method: "PATCH",
      path: objectPath("configmaps", "settings"),
      contentType: "application/merge-patch+json",
      body: { data: { size: "tiny" } },
    });
    const { changes } = await opened.stack.refresh();
    expect(changes).toMatchObject([
      { operation: "update", properties: [{ path: "data.size", before: "small", after: "tiny" }] },
    ]);
  });

  test("refuses another passphrase", async () => {
    const other = await open("story", program, { secrets: { kind: "passphrase", passphrase: "another" } });
    await expect(other.stack.up()).rejects.toMatchObject({ code: "passphrase-wrong", exitCode: 2 });
  });

  test("deletes everything, and itself", async () => {
    const { changes } = await opened.stack.destroy({ remove: true });
    expect(changes).toMatchObject([{ operation: "delete", kind: "ConfigMap" }]);
    expect(await opened.stack.outputs()).toBeUndefined();
    expect(await namespace.api.find(objectPath("configmaps", "settings"))).toBeUndefined();
  });

  test("that is not there is destroyed without a word", async () => {
    expect((await opened.stack.destroy({ remove: true })).changes).toEqual([]);
  });
});

test("a resource that the cluster refuses is named with the reason, and the next run continues", async () => {
  let type = "Nonsense";
  const { stack } = await open("refused", async () => {
    configMap("before", {});
    new kubernetes.core.v1.Service("bad", {
      metadata: { name: "bad", namespace: namespace.name },
      spec: { type, ports: [{ port: 80 }] },
    });
    return {};
  });
  await expect(stack.up()).rejects.toMatchObject({
    code: "deployment-failed",
    message: expect.stringMatching(/Service bad: .*Unsupported value: "Nonsense"/),
  });
  type = "ClusterIP";
  expect((await stack.up()).changes).toMatchObject([{ operation: "create", kind: "Service", name: "bad" }]);
  await stack.destroy({ remove: true });
});

test("secret configuration reaches the program, and is nowhere in clear", async () => {
  const config = { "engine:token": { value: "open sesame", secret: true } };
  const program = async () => ({
    token: new pulumi.Config("engine").getSecret("token")?.apply((it) => it.length),
  });
  const { stack } = await open("secrets", program, { config });
  expect((await stack.up()).outputs).toEqual({ token: "[secret]" });
  const files = await readdir(namespace.folder, { recursive: true, withFileTypes: true });
  for (const file of files.filter((entry) => entry.isFile())) {
    expect(await readFile(join(file.parentPath, file.name), "utf8"), file.name).not.toContain("open sesame");
  }
  await stack.destroy({ remove: true });
});

describe("a run in the middle of waiting for pods", () => {
  const children: ChildProcess[] = [];

  afterAll(() => {
    for (const child of children) child.kill("SIGKILL");
  });

  function start(pods: "ready" | "waiting") {
    const args = [
      join(import.meta.dirname, "engine-child.ts"),
      namespace.folder,
      namespace.name,
      namespace.kubeconfigPath,
    ];
    const child = spawn(process.execPath, [...args, pods], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    const lines: Record<string, unknown>[] = [];
    let rest = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const parts = (rest + text).split("\n");
      rest = parts.pop() ?? "";
      for (const part of parts)
        if (part.startsWith("{")) lines.push(JSON.parse(part) as Record<string, unknown>);
    });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    return { child, lines, ended };
  }

  async function waiting() {
    const run = start("waiting");
    await until(() => {
      const waits = run.lines.filter(
        (line) => typeof line.message === "string" && line.kind === "Deployment",
      );
      return new Set(waits.map((line) => line.urn)).size === 2;
    });
    return run;
  }

  async function until(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 120_000;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error("the condition did not come true within two minutes");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  async function cliOf(command: number): Promise<number> {
    const folder = join(namespace.folder, ".modelswitch", "pulumi", "engine");
    for (const file of await readdir(folder)) {
      const cli = /^dev\.run-(\d+)\.json$/.exec(file)?.[1];
      if (cli === undefined) continue;
      const record = JSON.parse(await readFile(join(folder, file), "utf8")) as { command?: number };
      if (record.command === command) return Number(cli);
    }
    throw new Error(`no CLI of process ${command} is recorded`);
  }

  /** What the readiness probes ask for: it tells the program's two forms apart. */
  async function probes(): Promise<(string | undefined)[]> {
    interface Pod {
      readonly containers: readonly {
        readonly readinessProbe?: { readonly httpGet?: { readonly path?: string } };
      }[];
    }
    const list = await namespace.api.json<{ items: { spec: { template: { spec: Pod } } }[] }>({
      method: "GET",
      path: objectPath("deployments"),
    });
    return list.items.map((item) => item.spec.template.spec.containers[0]?.readinessProbe?.httpGet?.path);
  }

  async function deployments(): Promise<string[]> {
    const list = await namespace.api.json<{ items: { metadata: { name: string } }[] }>({
      method: "GET",
      path: objectPath("deployments"),
    });
    return list.items.map((item) => item.metadata.name).sort();
  }

  /** The state has no unfinished operations, and exactly the objects that are in the cluster. */
  async function expectConverged(): Promise<void> {
    const { lines, ended } = start("ready");
    await ended;
    expect(lines.at(-1), JSON.stringify(lines)).toMatchObject({ type: "result" });
    const state = await readState(join(namespace.folder, ".modelswitch", "state"), "engine", "dev");
    expect(state?.pending).toEqual([]);
    const ids = state?.resources
      .filter(({ type }) => type.endsWith(":Deployment"))
      .map(({ id }) => id?.split("/")[1]);
    expect(ids?.sort()).toEqual(await deployments());
    expect(await probes()).toEqual(["/v2/health/ready", "/v2/health/ready"]);
    const again = start("ready");
    await again.ended;
    expect(again.lines.at(-1)).toMatchObject({ type: "result", changes: [], same: 2 });
  }

  test("locks the stack: a second run says who holds it", async () => {
    const { child, ended } = await waiting();
    const second = start("waiting");
    await second.ended;
    expect(second.lines.at(-1)).toMatchObject({ code: "stack-locked", exitCode: 4 });
    expect(second.lines.at(-1)?.message).toContain(`process ${await cliOf(child.pid ?? 0)}`);
    child.kill("SIGINT");
    await ended;
  });

  test("stops on SIGINT, and the next run continues", async () => {
    const { child, lines, ended } = await waiting();
    child.kill("SIGINT");
    await ended;
    expect(lines.at(-1)).toMatchObject({ code: "interrupted", exitCode: 130 });
    await expectConverged();
  });

  test.each(inTime(1, ["the command", "the CLI"]))("leaves nothing behind when %s is killed", async (who) => {
    const cleaner = await open("dev", async () => ({}));
    await cleaner.stack.destroy();
    expect(await deployments()).toEqual([]);

    const { child, lines, ended } = await waiting();
    process.kill(who === "the CLI" ? await cliOf(child.pid ?? 0) : (child.pid ?? 0), "SIGKILL");
    await ended;
    if (who === "the CLI") expect(lines.at(-1)).toMatchObject({ code: "pulumi-killed" });
    expect(await deployments()).toHaveLength(2);
    await expectConverged();
  });

  test("is done right by the next run when it was killed while it changed things", async () => {
    const { child, ended } = await waiting();
    process.kill(child.pid ?? 0, "SIGKILL");
    await ended;
    expect(await probes()).toEqual(["/nowhere", "/nowhere"]);
    // As where the kill comes just when the CLI writes them.
    const stacks = join(namespace.folder, ".modelswitch", "state", ".pulumi", "stacks");
    const [attributes = "?"] = (await readdir(stacks, { recursive: true })).filter((file) =>
      file.endsWith("dev.json.attrs"),
    );
    await writeFile(join(stacks, attributes), "");
    await expectConverged();
  });

  test("is cleaned up at the end", async () => {
    const { stack } = await open("dev", async () => ({}));
    await stack.destroy({ remove: true });
    expect(await deployments()).toEqual([]);
  });
});
