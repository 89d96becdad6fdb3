import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelswitch, resultOf } from "./cli-process.ts";
import { backendOf, TestNamespace, testImages, until, versionAt } from "./test-cluster.ts";

interface RunResult {
  readonly changes: readonly {
    readonly operation: string;
    readonly kind: string;
    readonly properties: readonly { readonly path: string }[];
  }[];
  readonly same: number;
  readonly outputs: Readonly<Record<string, unknown>>;
}

let namespace: TestNamespace;
let host: string;

beforeAll(async () => {
  namespace = await TestNamespace.create("seed");
  host = `${namespace.name}.example.com`;
  for (const slot of ["blue", "green"] as const) {
    await namespace.deploy(`user-${slot}`, testImages[slot], { app: "ml-model", version: slot });
  }
  await Promise.all([namespace.untilReady("user-blue"), namespace.untilReady("user-green")]);
});

afterAll(async () => {
  await run(["--destroy", "--remove", "--yes"]);
  await namespace.remove();
});

/** `modelswitch run examples/seed`, as in its README. */
async function run(options: readonly string[]): Promise<RunResult> {
  const args = ["run", "examples/seed", "--json", "--stack", namespace.name, "--config", `host=${host}`];
  const config = ["--config", `kubernetes:namespace=${namespace.name}`];
  const result = await modelswitch([...args, ...config, ...options], { env: namespace.env() });
  expect(result, result.stderr + result.stdout).toMatchObject({ exitCode: 0 });
  // The last line is the result; its data are the operation's.
  const last = resultOf(result.stdout);
  return (last.data ?? last) as RunResult;
}

/** The program is one story, told in order. */
describe("the seed's program", () => {
  test("makes two Services and an Ingress to blue, and says where it is reached", async () => {
    const { changes, outputs } = await run([]);
    const kinds = changes.filter(({ operation }) => operation === "create").map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "Service")).toHaveLength(2);
    expect(kinds.filter((kind) => kind === "Ingress")).toHaveLength(1);
    expect(outputs.ingress_endpoint).toMatch(/\S/);
    await until("blue answers", async () => (await versionAt(host)) === "1");
  });

  test("changes nothing when it runs again", async () => {
    expect((await run([])).changes).toEqual([]);
  });

  test("switches to green by one configuration value: one property of the Ingress changes", async () => {
    const planned = await run(["--config", "live=green", "--preview"]);
    expect(planned.changes.map(({ kind }) => kind)).toEqual(["Ingress"]);
    expect(await versionAt(host)).toBe("1");

    const { changes } = await run(["--config", "live=green"]);
    expect(changes).toHaveLength(1);
    expect(changes[0]).toMatchObject({ operation: "update", kind: "Ingress" });
    expect(changes[0]?.properties.map(({ path }) => path)).toEqual([
      "spec.rules[0].http.paths[0].backend.service.name",
    ]);
    expect(backendOf(await namespace.ingress("ml-model-ingress"))).toMatch(/^green-service-/);
    await until("green answers", async () => (await versionAt(host)) === "2");
  });

  test("and back", async () => {
    await run(["--config", "live=blue"]);
    await until("blue answers", async () => (await versionAt(host)) === "1");
  });

  test("takes other selectors and another class from the configuration", async () => {
    const { changes } = await run([
      "--config",
      'blueSelector={"app":"ml-model","version":"green"}',
      "--config",
      "ingressClass=other",
      "--preview",
    ]);
    expect(changes.map(({ kind }) => kind).sort()).toEqual(["Ingress", "Service"]);
  });

  test("refuses a value that is neither blue nor green", async () => {
    const args = ["run", "examples/seed", "--json", "--stack", namespace.name, "--config", "live=purple"];
    const result = await modelswitch(args, { env: namespace.env() });
    expect(result.exitCode).not.toBe(0);
    expect(result.stdout + result.stderr).toMatch(/live is \\?"purple\\?", but must be blue or green/);
  });
});
