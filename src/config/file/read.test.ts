import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UserError } from "../../core/errors.ts";
import { findConfigFile, pathFromConfig, readConfig } from "./read.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "modelswitch-config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const read = (configPath?: string) => readConfig({ folder, configPath });
const refusal = async (configPath?: string): Promise<UserError> => {
  try {
    await read(configPath);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
  throw new Error("the configuration was taken");
};

/** Without the test runner's own module loader in between. */
const readInProcess = (program: string) => {
  const reader = JSON.stringify(new URL("./read.ts", import.meta.url).href);
  const prelude = `const { readConfig } = await import(${reader}); const folder = ${JSON.stringify(folder)};`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", prelude + program], { encoding: "utf8" });
};

const body = `{ name: "fraud", release: { image: "a:1" }, ingress: { host: "a.b" } }`;
const expected = { name: "fraud", release: { image: "a:1" }, ingress: { host: "a.b" } };

describe("a configuration file", () => {
  test.each([
    [
      "modelswitch.config.ts",
      `import { defineConfig } from "modelswitch";\nexport default defineConfig(${body});`,
    ],
    ["modelswitch.config.ts", `const config: object = ${body};\nexport default config;`],
    [
      "modelswitch.config.ts",
      `enum Replicas { Few = 1 }\nexport default { ...${body}, idleReplicas: Replicas.Few - 1 || undefined };`,
    ],
    ["modelswitch.config.ts", `export default async () => (${body});`],
    ["modelswitch.config.mts", `export default ${body};`],
    [
      "modelswitch.config.mjs",
      `import { defineConfig } from "modelswitch";\nexport default defineConfig(${body});`,
    ],
    ["modelswitch.config.js", `module.exports = ${body};`],
    ["modelswitch.config.json", JSON.stringify(expected)],
    ["modelswitch.config.yaml", "name: fraud\nrelease: { image: 'a:1' }\ningress:\n  host: a.b\n"],
    ["modelswitch.config.yml", "name: fraud\nrelease: { image: 'a:1' }\ningress: { host: a.b }\n"],
  ])("%s is read: %s", async (name, text) => {
    const file = write(name, text);
    expect(await read()).toMatchObject({ file, config: expected });
  });

  test("finds what it imports beside it", async () => {
    write("shared.ts", "export const host: string = 'a.b';");
    write(
      "modelswitch.config.ts",
      `import { host } from "./shared.ts";\nexport default { ...${body}, ingress: { host } };`,
    );
    expect((await read()).config).toEqual(expected);
  });

  test("is read anew when it has changed", async () => {
    write("modelswitch.config.ts", `export default ${body};`);
    await read();
    write("modelswitch.config.ts", `export default { ...${body}, live: "green" };`);
    expect((await read()).config.live).toBe("green");
  });

  test("gets the presets of the package without having it installed, by Node itself and in no time", () => {
    write(
      "modelswitch.config.ts",
      `import { custom, defineConfig, mlserver } from "modelswitch";\nvoid custom;\nexport default defineConfig({ ...${body}, server: mlserver({ modelName: "fraud" }) });`,
    );
    const result = readInProcess(
      "const { config } = await readConfig({ folder });" +
        "const loaded = process.moduleLoadList.some((name) => /pulumi|kubernetes-client|jiti/.test(name));" +
        "console.log(JSON.stringify([config.server.name, loaded]));",
    );
    expect(result.stderr).toBe("");
    expect(JSON.parse(result.stdout)).toEqual(["mlserver", false]);
  });
});

describe("what keeps a file from being read", () => {
  test("no file", async () => {
    const error = await refusal();
    expect(error).toMatchObject({ code: "config-missing", exitCode: 2 });
    expect(error.message).toContain(folder);
    expect(error.hint).toContain("modelswitch init");
  });

  test("a named file that is not there", async () => {
    expect((await refusal("other.ts")).message).toContain(join(folder, "other.ts"));
  });

  test("a format that is none", async () => {
    write("modelswitch.toml", "");
    expect((await refusal("modelswitch.toml")).message).toContain(".toml");
  });

  test("two files", async () => {
    write("modelswitch.config.ts", "");
    write("modelswitch.config.yaml", "");
    const error = await refusal();
    expect(error.code).toBe("config-ambiguous");
    expect(error.message).toContain("modelswitch.config.ts, modelswitch.config.yaml");
    expect(await findConfigFile({ folder, configPath: "modelswitch.config.yaml" })).toBe(
      join(folder, "modelswitch.config.yaml"),
    );
  });

  test.each([
    ["modelswitch.config.json", '{\n  "name": "a",\n  "live": blue\n}', "3:11"],
    ["modelswitch.config.json", '{\n  "name": "a",\n}', "3:1"],
    ["modelswitch.config.json", '{ "name": "a"', "1:14"],
    ["modelswitch.config.yaml", "name: a\nlive: [blue\n", "3:1"],
  ])("a syntax error in %s, with its place: %j", async (name, text, place) => {
    const file = write(name, text);
    const error = await refusal();
    expect(error).toMatchObject({ code: "config-syntax", exitCode: 2 });
    expect(error.message).toContain(`${file}:${place}: `);
  });

  test("a syntax error in TypeScript, with its place", () => {
    const file = write("modelswitch.config.ts", "export default {\n  name: 'a',\n  live: :\n};");
    const result = readInProcess(
      "await readConfig({ folder }).catch(({ code, message }) => console.log(JSON.stringify({ code, message })));",
    );
    expect(JSON.parse(result.stdout)).toEqual({
      code: "config-syntax",
      message: `${file}:3:9: Unexpected token`,
    });
  });

  test("a syntax error shows nothing of the text around it, which may be a secret", async () => {
    write("modelswitch.config.json", '{ "token": "hush" oops }');
    expect((await refusal()).message).not.toContain("hush");
  });

  test("an error that the file throws, with its place", async () => {
    const file = write(
      "modelswitch.config.ts",
      "export default {\n  name: (undefined as unknown as string[]).length,\n};",
    );
    const error = await refusal();
    expect(error).toMatchObject({ code: "config-failed", exitCode: 2 });
    expect(error.message).toContain(`${file}:2:`);
    expect(error.message).toContain("TypeError");
  });

  test("a refusal of a preset, with its place", async () => {
    const file = write(
      "modelswitch.config.ts",
      `import { custom } from "modelswitch";\nexport default { ...${body}, server: custom({ port: 0 }) };`,
    );
    const error = await refusal();
    expect(error).toMatchObject({ code: "server-invalid", exitCode: 2 });
    expect(error.message).toContain(`${file}:2:`);
    expect(error.message).toContain("is 0");
  });

  test("an import that is not there, with its place", async () => {
    const file = write("modelswitch.config.ts", `import { x } from "not-installed";\nexport default x;`);
    const error = await refusal();
    expect(error.code).toBe("config-failed");
    expect(error.message).toContain(`${file}:1:`);
    expect(error.message).toContain('"not-installed"');
  });

  test("no default export", async () => {
    write("modelswitch.config.ts", `export const config = ${body};`);
    expect((await refusal()).message).toContain("no default export");
  });
});

test("paths in the file are relative to it, ~ is the home folder", () => {
  expect(pathFromConfig("kubeconfig", "/models/modelswitch.config.ts", "/home/me")).toBe(
    "/models/kubeconfig",
  );
  expect(pathFromConfig("/etc/kubeconfig", "/models/modelswitch.config.ts", "/home/me")).toBe(
    "/etc/kubeconfig",
  );
  expect(pathFromConfig("~/.kube/x", "/models/modelswitch.config.ts", "/home/me")).toBe("/home/me/.kube/x");
});
