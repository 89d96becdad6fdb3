import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { kubeconfigOf } from "../../test/support/kubeconfig.ts";
import { noFlags, templateConfig } from "../../test/support/release-bench.ts";
import { type TestBench, testBench, testConfig, testNamespace } from "../../test/support/rollout-bench.ts";
import { type ServedCluster, serveCluster } from "../../test/support/served-cluster.ts";
import { runMain } from "../../test/unit/run-main.ts";
import type { ResolvedConfig } from "../config/model/types.ts";
import { release } from "../rollout/commands/release.ts";
import { modelStatus } from "../rollout/commands/status.ts";
import { up } from "../rollout/commands/up.ts";
import { configOfRecord } from "./config-of-record.ts";

let bench: TestBench;
let served: ServedCluster;
let folder: string;

/** A machine that has a kubeconfig, and a folder without a configuration file. */
beforeEach(async () => {
  bench = testBench();
  served = await serveCluster(bench.cluster);
  folder = await mkdtemp(join(tmpdir(), "elsewhere-"));
  const kubeconfig = JSON.parse(kubeconfigOf(served.url)) as { contexts: { context: object }[] };
  for (const entry of kubeconfig.contexts) entry.context = { ...entry.context, namespace: testNamespace };
  await writeFile(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
});

afterEach(async () => {
  served.close();
  await rm(folder, { recursive: true, force: true });
});

const elsewhere = (...argv: readonly string[]) =>
  runMain([...argv, "--json", "--kubeconfig", join(folder, "kubeconfig")], { cwd: folder });

/** Release 2 is live in green, release 1 warm in blue. */
async function released(): Promise<void> {
  const context = bench.context(templateConfig({ drain: 0, rollbackWindow: 600 }));
  await up(context, noFlags);
  await release(context, { template: { image: "fraud:2", replicas: 2 } });
}

describe("without a configuration file --model is enough", () => {
  beforeEach(released);

  test.each<[readonly string[], object]>([
    [["status"], { model: "fraud", live: "green", slots: { green: { release: 2 }, blue: { release: 1 } } }],
    [["history"], { model: "fraud", releases: [{ number: 1 }, { number: 2 }] }],
    [["report"], { ended: false, kind: "release" }],
    [["logs"], { model: "fraud", slot: "green" }],
    [["unlock"], { model: "fraud", found: "free" }],
  ])("%j", async (argv, document) => {
    const { exitCode, stdout, stderr } = await elsewhere(...argv, "--model", "fraud");
    expect(exitCode, stdout + stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject(document);
  });

  const needTheFile = [
    ...["plan", "up", "release --set image=fraud:3", "destroy", "adopt", "config show", "rbac"],
    "status --all",
  ];
  test.each(needTheFile)("but not for `%s`, which says why", async (line) => {
    const { exitCode, stdout } = await elsewhere(...line.split(" "), "--model", "fraud");
    expect(exitCode).toBe(2);
    const { error } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as { error: object };
    expect(error).toMatchObject({
      code: "config-missing",
      hint: expect.stringContaining("Without one --model is enough to look (status, history, report, logs)"),
    });
  });

  test("where no model is named none is meant", async () => {
    const { exitCode, stdout } = await elsewhere("status");
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: "config-missing", hint: expect.not.stringContaining("--model") },
    });
  });

  test("a model that the cluster does not know is named", async () => {
    const { exitCode, stdout } = await elsewhere("status", "--model", "froud");
    expect(exitCode).toBe(2);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: "not-deployed" } });
  });

  test("another environment than the model's is not taken for it", async () => {
    const context = bench.context(templateConfig());
    await context.store.update((record) => record && { ...record, environment: "production" });
    const { stdout } = await elsewhere("rollback", "--model", "fraud", "--environment", "staging");
    expect(stdout).toContain("environment-other");
  });
});

test.each<[string, ResolvedConfig]>([
  ["slots", testConfig()],
  ["a template", templateConfig()],
  ["the router plain", testConfig({ router: "plain", servicePort: 8000 })],
  ["addresses of its ingress", testConfig({ endpoints: ["http://192.0.2.7:8080"] })],
])("a configuration of %s and what the cluster remembers of it show the same", async (_what, config) => {
  const context = bench.context(config);
  await up(context, noFlags);
  const record = await context.store.read();
  if (record === undefined) throw new Error("`up` has written a record.");
  const { file, kubeconfig } = config;
  const remembered = configOfRecord(record, { file, kubeconfig, contextNamespace: testNamespace });
  expect(await modelStatus(bench.context(remembered))).toEqual(await modelStatus(context));
  expect(remembered).toMatchObject({
    ...{ name: "fraud", namespace: testNamespace, initialLive: "blue" },
    ...{ router: config.router, servicePort: config.servicePort, previewHeader: config.previewHeader },
    endpoints: config.endpoints,
  });
});
