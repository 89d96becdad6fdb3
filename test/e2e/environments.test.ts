import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modelswitch, resultOf } from "./cli-process.ts";
import { TestNamespace, testImages, versionAt } from "./test-cluster.ts";

/** Two models in two environments: one file, an overlay, two namespaces of one cluster. */
let staging: TestNamespace;
let production: TestNamespace;
let folder: string;

beforeAll(async () => {
  [staging, production] = await Promise.all([
    TestNamespace.create("staging"),
    TestNamespace.create("production"),
  ]);
  folder = await mkdtemp(join(tmpdir(), "modelswitch-environments-"));
  await writeFile(
    join(folder, "modelswitch.config.ts"),
    `import { custom, defineConfig } from "modelswitch";
const slot = (image: string) => ({ image, replicas: 1, imagePullPolicy: "Never" as const });
export default defineConfig({
  defaults: {
    server: custom({
      readinessPath: "/v2/health/ready",
      identity: { path: "/v2/models/demo", from: { kind: "header", name: "x-model-version" } },
      preStopSleepSeconds: 1,
      longestRequestSeconds: 5,
    }),
    slots: { blue: slot("${testImages.blue}"), green: slot("${testImages.green}") },
    deadlines: { ready: 240, proof: 120 },
  },
  models: {
    fraud: { ingress: { host: "fraud.${staging.name}.example.com" } },
    churn: { ingress: { host: "churn.${staging.name}.example.com" } },
  },
  environments: {
    staging: { namespace: "${staging.name}" },
    production: {},
  },
  defaultEnvironment: "staging",
});
`,
  );
  await writeFile(
    join(folder, "modelswitch.config.production.yaml"),
    `namespace: \${env:PRODUCTION_NAMESPACE}
models:
  fraud:
    ingress: { host: "fraud.${production.name}.example.com" }
  churn:
    ingress: { host: "churn.${production.name}.example.com" }
`,
  );
});

afterAll(async () => {
  await Promise.all([staging?.remove(), production?.remove()]);
  await rm(folder, { recursive: true, force: true });
});

const command = (args: readonly string[], env: Readonly<Record<string, string | undefined>> = {}) =>
  modelswitch(args, {
    cwd: folder,
    env: {
      ...staging.env(),
      PULUMI_BACKEND_URL: undefined,
      PRODUCTION_NAMESPACE: production.name,
      ...env,
    },
  });

async function result(...args: string[]): Promise<Record<string, unknown>> {
  const { exitCode, stdout, stderr } = await command([...args, "--json"]);
  if (exitCode !== 0)
    throw new Error(`modelswitch ${args.join(" ")} ended with ${exitCode}:\n${stdout}\n${stderr}`);
  return resultOf(stdout);
}

const hostOf = (model: string, namespace: TestNamespace) => `${model}.${namespace.name}.example.com`;

test("everything is valid, and each model has a stack per environment", async () => {
  const { targets } = (await result("config", "validate")) as { targets: { stack: string }[] };
  expect(targets).toEqual([
    { model: "fraud", environment: "staging", stack: "project modelswitch-fraud, stack staging" },
    { model: "churn", environment: "staging", stack: "project modelswitch-churn, stack staging" },
    { model: "fraud", environment: "production", stack: "project modelswitch-fraud, stack production" },
    { model: "churn", environment: "production", stack: "project modelswitch-churn, stack production" },
  ]);
});

test("`config show --resolved` says where each value comes from", async () => {
  const { exitCode, stdout } = await command(
    ["config", "show", "--resolved", "--json", "--context", "local"],
    { MODELSWITCH_MODEL: "fraud", MODELSWITCH_ENVIRONMENT: "production" },
  );
  expect(exitCode).toBe(0);
  const shown = resultOf(stdout) as {
    config: { namespace: string };
    values: { path: string[]; value?: unknown; source: Record<string, unknown> }[];
  };
  expect(shown.config.namespace).toBe(production.name);
  const at = (...path: string[]) => shown.values.find((entry) => entry.path.join() === path.join());
  expect(at("namespace")).toMatchObject({
    value: production.name,
    source: {
      kind: "file",
      file: join(folder, "modelswitch.config.production.yaml"),
      path: ["namespace"],
      variables: ["PRODUCTION_NAMESPACE"],
    },
  });
  expect(at("ingress", "host")?.source).toMatchObject({ path: ["models", "fraud", "ingress", "host"] });
  expect(at("slots", "blue", "image")?.source).toMatchObject({
    path: ["defaults", "slots", "blue", "image"],
  });
  expect(at("context")).toMatchObject({
    value: "local",
    source: { kind: "surroundings", name: "--context" },
  });
  expect(at("kubeconfig")?.source).toMatchObject({ name: "KUBECONFIG" });
  expect(at("router")).toMatchObject({ value: "nginx", source: { kind: "default" } });
});

test("two models and two environments are up beside each other", async () => {
  // The environment is the default one where none is named, and the model the one that is.
  expect(await result("up", "--model", "fraud")).toMatchObject({ model: "fraud", namespace: staging.name });
  await result("up", "--model", "fraud", "-e", "production");
  await result("up", "--model", "churn");
  for (const [model, namespace] of [
    ["fraud", staging],
    ["fraud", production],
    ["churn", staging],
  ] as const)
    expect(await versionAt(hostOf(model, namespace)), `${model} in ${namespace.name}`).toBe("1");
});

test("a switch of one moves none of the others", async () => {
  await result("switch", "green", "--model", "fraud", "--environment", "production");
  expect(await versionAt(hostOf("fraud", production))).toBe("2");
  expect(await versionAt(hostOf("fraud", staging))).toBe("1");
  expect(await versionAt(hostOf("churn", staging))).toBe("1");
});

test("`status` is a list where no model is named; `--all` is everything, with what is missing", async () => {
  const list = (await result("status")) as { models: Record<string, unknown>[] };
  expect(list.models).toMatchObject([
    { model: "fraud", environment: "staging", live: "blue" },
    { model: "churn", environment: "staging", live: "blue" },
  ]);
  const all = await command(["status", "--all"]);
  expect(all.exitCode).toBe(1);
  expect(all.stdout).toMatch(/fraud +staging +\S+ +blue/);
  expect(all.stdout).toMatch(/fraud +production +\S+ +green/);
  expect(all.stdout).toMatch(/churn +production +- +not-deployed/);
});

test("what is ambiguous or would share objects is refused before anything is done", async () => {
  const ambiguous = await command(["up"]);
  expect(ambiguous.exitCode).toBe(2);
  expect(ambiguous.stderr).toContain("has 2 models, and none is named: fraud, churn.");
  const shared = await command(["up", "--model", "fraud", "-e", "production"], {
    PRODUCTION_NAMESPACE: staging.name,
  });
  expect(shared.exitCode).toBe(2);
  expect(shared.stderr).toContain("environments.production: shares its objects with fraud in staging");
});

test("a model that belongs to another environment is left alone", async () => {
  await writeFile(
    join(folder, "other.json"),
    JSON.stringify({
      name: "fraud",
      namespace: production.name,
      slots: { blue: {}, green: {} },
      ingress: { host: "x.example.com" },
      environments: { qa: null },
    }),
  );
  for (const args of [["up"], ["switch", "blue"], ["destroy", "--yes"]]) {
    const { exitCode, stderr } = await command([...args, "--config", "other.json"]);
    expect(exitCode, args.join(" ")).toBe(2);
    expect(stderr).toContain("belongs to the environment production, but the one chosen is qa");
  }
  expect(await versionAt(hostOf("fraud", production))).toBe("2");
});
