import { readFileSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubeconfigOf } from "../../../test/support/kubeconfig.ts";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import { type ServedCluster, serveCluster } from "../../../test/support/served-cluster.ts";
import { runMain } from "../../../test/unit/run-main.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import { release } from "../../rollout/commands/release.ts";
import { modelStatus } from "../../rollout/commands/status.ts";
import { up } from "../../rollout/commands/up.ts";
import type { CommandContext } from "../command.ts";
import { commands } from "../commands/index.ts";
import { document as planDocument, planOf } from "../commands/plan.ts";
import { documents, documentsJsonSchema, withoutDocument } from "./index.ts";

const bench = testBench();
let served: ServedCluster;
let folder: string;

const rollout: RolloutConfig = {
  steps: "25%:30s",
  rollbackWindow: 600,
  gates: [{ name: "answers", request: { path: "/predict", body: { x: 1 }, expect: { status: 200 } } }],
};

beforeAll(async () => {
  served = await serveCluster(bench.cluster);
  folder = await mkdtemp(join(tmpdir(), "documents-"));
  const kubeconfig = JSON.parse(kubeconfigOf(served.url)) as { contexts: { context: object }[] };
  for (const entry of kubeconfig.contexts) entry.context = { ...entry.context, namespace: testNamespace };
  await writeFile(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
  await writeFile(
    join(folder, "modelswitch.config.json"),
    JSON.stringify({
      name: "fraud",
      namespace: testNamespace,
      server: "mlserver",
      release: { image: "fraud:1", replicas: 2 },
      ingress: { host: "models.example.com" },
    }),
  );
  await mkdir(join(folder, "fresh"));
  bench.ask = ({ path }) => (path === "/predict" ? { status: 200, body: "{}" } : undefined);
  const context = bench.context(templateConfig(rollout));
  await up(context, noFlags);
  await release(bench.context(templateConfig({ ...rollout, rollbackWindow: 0 })), {
    template: { image: "fraud:2", replicas: 2 },
  });
  await release(context, { template: { image: "fraud:3", replicas: 2 } });
});

afterAll(async () => {
  served.close();
  await rm(folder, { recursive: true, force: true });
});

const published = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../docs/modelswitch-output.schema.json"), "utf8"),
) as { $id: string; $defs: Record<string, unknown> };

/** By the published file, as a user's program would. */
const ajv = new Ajv2020({ strict: false, validateFormats: false }).addSchema(published);

function problemsOf(name: string, document: unknown): unknown {
  const validate = ajv.getSchema(`${published.$id}#/$defs/${name.replaceAll(" ", "-")}`);
  if (validate === undefined) throw new Error(`No schema of ${name}.`);
  return validate(document) ? [] : validate.errors;
}

const run = async (argv: readonly string[]) => {
  const all = [...argv, "--json", "--kubeconfig", join(folder, "kubeconfig")];
  const { stdout, stderr } = await runMain(all, { cwd: folder });
  const last = stdout.trim().split("\n").at(-1) ?? "";
  expect(last, stderr).toMatch(/^\{/);
  return JSON.parse(last) as Record<string, unknown>;
};

describe("documents of --json", () => {
  test("of every query have a schema", () => {
    const queries = commands.filter(({ output }) => output === "query").map(({ name }) => name);
    const lacking = queries.filter((name) => !(name in documents) && !withoutDocument.includes(name));
    expect(lacking, "add it to src/cli/documents").toEqual([]);
    const known = commands.map(({ name }) => name);
    expect([...Object.keys(documents), ...withoutDocument].filter((name) => !known.includes(name))).toEqual(
      [],
    );
  });

  test.each<[keyof typeof documents, readonly string[]]>([
    ["status", ["status"]],
    ["status", ["status", "--observe", "0.1"]],
    ["status", ["status", "--all"]],
    ["history", ["history"]],
    ["report", ["report", "1"]],
    ["report", ["report"]],
    ["unlock", ["unlock"]],
    ["logs", ["logs"]],
    ["rbac", ["rbac"]],
    ["router test", ["router", "test"]],
    ["state show", ["state", "show"]],
    ["config validate", ["config", "validate"]],
    ["config show", ["config", "show"]],
    ["version", ["version"]],
    ["doctor", ["doctor"]],
    ["init", ["init", "--folder", "FRESH", "--yes"]],
    ["cluster list", ["cluster", "list"]],
    ["cluster status", ["cluster", "status", "--name", "nobody-made-this-one"]],
  ])("%s: %j is as the published schema says, and it says all of its keys", async (name, argv) => {
    const document = await run(argv.map((word) => (word === "FRESH" ? join(folder, "fresh") : word)));
    expect(document).not.toHaveProperty("error");
    expect(problemsOf(name, document)).toEqual([]);
    const text = JSON.stringify(published.$defs[name.replaceAll(" ", "-")]);
    if (name !== "config show") {
      expect(Object.keys(document).filter((key) => !text.includes(`"${key}":`))).toEqual([]);
    }
  });

  test("what is none is refused", async () => {
    expect(problemsOf("status", { schemaVersion: 1, model: "fraud" })).not.toEqual([]);
    expect(problemsOf("status", { ...(await run(["status"])), live: "red" })).not.toEqual([]);
    expect(problemsOf("history", await run(["status"]))).not.toEqual([]);
  });

  test("a rollout that waits, and a slot that is not ready, are status, too", async () => {
    const other = testBench();
    const context = other.context(templateConfig({ ...rollout, approval: ["cut-over"] }));
    await up(context, noFlags);
    other.ask = bench.ask;
    await release(context, { template: { image: "fraud:2", replicas: 2 } });
    const found = await modelStatus(context);
    expect(found.rollout).toMatchObject({ phase: "cut-over" });
    const {
      pending = null,
      lastSwitch = null,
      rollout: going = null,
      observed = null,
      migration = null,
    } = found;
    const document = { schemaVersion: 1, ...found, pending, lastSwitch, rollout: going, observed, migration };
    expect(problemsOf("status", JSON.parse(JSON.stringify(document)))).toEqual([]);
  });

  test("so is the last line of plan, with what a release would take and what it would give up", async () => {
    const input = { arguments: {}, options: {} };
    const inTheFile = { image: "fraud:4", replicas: 2 };
    for (const config of [templateConfig(rollout), templateConfig(rollout, inTheFile)]) {
      const rolloutContext = bench.context(config);
      const means = { ...rolloutContext, events: () => undefined } as unknown as CommandContext;
      const document = planDocument(await planOf(rolloutContext, input, means));
      const line = { type: "result", schemaVersion: 1, exitCode: 0, ...document };
      expect(problemsOf("plan", JSON.parse(JSON.stringify(line)))).toEqual([]);
      expect(document).toMatchObject({
        release: { replicas: 2 },
        traffic: { compared: expect.any(Boolean) },
      });
    }
  });

  test("the file is current", () => {
    expect(published).toEqual(JSON.parse(JSON.stringify(documentsJsonSchema())));
  });
});
