import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { configJsonSchema } from "./json-schema.ts";

const root = join(import.meta.dirname, "..", "..", "..");
const ajv = new Ajv2020({ strict: false, allErrors: true });
const schema = configJsonSchema();
const validate = ajv.compile(schema);
const ofEnvironment = ajv.getSchema("modelswitch.schema.json#/$defs/environment");

const one = { name: "fraud", release: { image: "fraud:1" }, ingress: { host: "a.b" } };
const several = {
  $schema: "./node_modules/modelswitch/docs/modelswitch.schema.json",
  configVersion: 1,
  defaults: { server: "mlserver", release: { replicas: 2 } },
  models: { fraud: { release: { image: "fraud:1" }, ingress: { host: "a.b" } }, churn: null },
  environments: {
    staging: {
      namespace: "${env:NS}",
      context: "x",
      models: { fraud: { release: { replicas: "${env:N:-1}" } } },
    },
    production: {
      live: null,
      ingress: { className: null },
      release: null,
      slots: { blue: { image: "a:1" } },
    },
  },
  defaultEnvironment: "staging",
};

describe("the JSON schema", () => {
  test.each<[string, unknown]>([
    ["one model", one],
    [
      "one model with its schema and environments",
      { ...one, $schema: "x", environments: { p: { live: "green" } } },
    ],
    ["several models", several],
    [
      "variables where texts have a form, and where numbers are",
      { ...one, name: "${env:NAME}", idleReplicas: "${env:N}" },
    ],
  ])("takes %s", (_what, value) => {
    expect(validate(value), JSON.stringify(validate.errors)).toBe(true);
  });

  test.each<[string, unknown]>([
    ["a model without ingress", { name: "fraud", release: { image: "a" } }],
    ["a mistyped key", { ...one, routr: "nginx" }],
    ["a wrong value", { ...one, live: "gren" }],
    ["a number in words", { ...one, idleReplicas: "two" }],
    ["both forms", { ...one, models: {} }],
    ["no models", { models: {} }],
    ["a model's key beside models", { ...several, namespace: "ml" }],
    ["a name in a model", { models: { fraud: { name: "x" } } }],
    ["a mistyped key in an environment", { ...several, environments: { p: { contxt: "x" } } }],
    ["half of an identity", { ...several, defaults: { identity: { path: "/" } } }],
    ["a newer version", { ...several, configVersion: 2 }],
  ])("refuses %s", (_what, value) => {
    expect(validate(value)).toBe(false);
  });

  test("describes an environment's own file", () => {
    expect(ofEnvironment?.({ namespace: "ml", models: { fraud: { release: { replicas: 3 } } } })).toBe(true);
    expect(ofEnvironment?.({ name: "fraud" })).toBe(false);
  });

  test("takes every configuration in the documentation", () => {
    const pages = readdirSync(join(root, "docs")).filter((file) => file.endsWith(".md"));
    const blocks = pages.flatMap((page) =>
      [...readFileSync(join(root, "docs", page), "utf8").matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(
        (match) => [page, parse(match[1] ?? "") as Record<string, unknown>] as const,
      ),
    );
    const configs = blocks.filter(([, value]) => "ingress" in value || "models" in value);
    expect(configs.length).toBeGreaterThan(1);
    for (const [page, value] of configs) {
      const fits = validate(value) || ofEnvironment?.(value) === true;
      expect(fits, `${page}: ${JSON.stringify(value)} ${JSON.stringify(validate.errors)}`).toBe(true);
    }
  });

  test("is in the package, under a name that stays", () => {
    const packed = JSON.parse(
      execFileSync("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
        cwd: root,
        encoding: "utf8",
      }),
    ) as { files: { path: string }[] }[] | Record<string, { files: { path: string }[] }>;
    const [contents] = Object.values(packed);
    expect(contents?.files.map(({ path }) => path)).toContain("docs/modelswitch.schema.json");
    const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
      exports: Record<string, unknown>;
    };
    expect(exports["./schema.json"]).toBe("./docs/modelswitch.schema.json");
  });
});
