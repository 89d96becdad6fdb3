import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openProgramStack } from "../../src/engine/run-program.ts";
import type { Stack } from "../../src/engine/stack.ts";

let folder: string;
let env: Record<string, string | undefined>;

beforeEach(async () => {
  // The real path: programs that ask for their working folder get it.
  folder = await mkdtemp(join(tmpdir(), "program-"));
  env = { ...process.env, PULUMI_BACKEND_URL: undefined };
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

async function programOf(
  files: Readonly<Record<string, string>>,
  options: { readonly stack?: string; readonly config?: Readonly<Record<string, string>> } = {},
): Promise<Stack> {
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return await openProgramStack({
    folder,
    ...options,
    secrets: { kind: "passphrase", passphrase: "only for tests" },
    events: () => {},
    signal: AbortSignal.timeout(120_000),
    env,
  });
}

const component = `
import * as pulumi from "@pulumi/pulumi";
export enum Colour { Red = "red" }
export class Thing extends pulumi.ComponentResource {
  constructor(name: string) { super("test:index:Thing", name); this.registerOutputs(); }
}`;

describe("a Pulumi program in TypeScript", () => {
  test("of top-level resources is evaluated afresh at each operation, with its modules", async () => {
    const stack = await programOf(
      {
        "Pulumi.yaml": "name: things\nruntime: nodejs\n",
        "Pulumi.blue.yaml": "config:\n  things:size: large\n",
        "things.ts": component,
        "index.ts": `
        import * as pulumi from "@pulumi/pulumi";
        import { Colour, Thing } from "./things";
        const config = new pulumi.Config();
        new Thing("thing-" + Colour.Red);
        export const size = config.get("size");
        export const extra = config.getObject("extra");
        export const later = pulumi.output(20).apply((value) => value + 1);
        export const where = [pulumi.getProject(), pulumi.getStack(), process.cwd()];`,
      },
      { stack: "blue", config: { extra: '{"a":1}' } },
    );
    expect((await stack.preview()).changes).toMatchObject([{ operation: "create", name: "thing-red" }]);
    const { changes, outputs } = await stack.up();
    expect(changes).toHaveLength(1);
    expect(outputs).toEqual({ size: "large", extra: { a: 1 }, later: 21, where: ["things", "blue", folder] });
    expect(await stack.up()).toMatchObject({ changes: [], same: 1 });
    expect(await stack.outputs()).toEqual(outputs);
  });

  test.each([
    ["CommonJS", 'const { Thing } = require("./things");\nnew Thing("a");', "commonjs"],
    ["modules", 'import { Thing } from "./things.js";\nnew Thing("a");', "module"],
  ])("in JavaScript (%s) is evaluated afresh, too", async (_kind, index, type) => {
    const pulumi =
      type === "module"
        ? 'import * as pulumi from "@pulumi/pulumi";'
        : 'const pulumi = require("@pulumi/pulumi");';
    const things = `${pulumi}
      class Thing extends pulumi.ComponentResource { constructor(name) { super("test:index:Thing", name); } }
      new Thing("in a module of its own");
      ${type === "module" ? "export { Thing };" : "exports.Thing = Thing;"}`;
    await mkdir(join(folder, "node_modules"));
    await symlink(
      join(import.meta.dirname, "../../node_modules/@pulumi"),
      join(folder, "node_modules/@pulumi"),
    );
    const stack = await programOf({
      "package.json": JSON.stringify({ type }),
      "things.js": things,
      "index.js": index,
    });
    expect((await stack.preview()).changes).toHaveLength(2);
    expect((await stack.up()).changes).toHaveLength(2);
    expect(await stack.up()).toMatchObject({ changes: [], same: 2 });
  });

  test.each([
    ["an async function", "index.ts", "export default async () => ({ a: await Promise.resolve(1) });"],
    ["an object", "index.ts", "export default { a: 1 };"],
    ["a CommonJS function", "index.js", "module.exports = async () => ({ a: 1 });"],
    ["CommonJS names", "index.js", "exports.a = Promise.resolve(1);"],
    ["the result of a top-level await", "index.ts", "export const a = await Promise.resolve(1);"],
  ])("may export %s", async (_what, file, text) => {
    expect((await (await programOf({ [file]: text })).up()).outputs).toEqual({ a: 1 });
  });

  test("is found where Pulumi.yaml or package.json say", async () => {
    const stack = await programOf({ "package.json": '{"main":"main.ts"}', "main.ts": "export const a = 2;" });
    expect((await stack.up()).outputs).toEqual({ a: 2 });
  });

  test.each([
    [
      "at the top level",
      'const a = 1;\nthrow new TypeError("no model");\nexport const b = a;',
      /index\.ts:2:\d+: TypeError: no model/,
    ],
    [
      "in a callback",
      'import * as pulumi from "@pulumi/pulumi";\npulumi.output(1).apply(() => {\n  throw new Error("no model");\n});',
      /no model \(at .*index\.ts:3:\d+\)/,
    ],
    ["in its syntax", "export const a = ;", /index\.ts/],
    ["in an import", 'import "./nowhere";', /nowhere/],
  ])("that fails %s is said with its file and line", async (_where, text, message) => {
    const stack = await programOf({ "index.ts": text });
    await expect(stack.up()).rejects.toMatchObject({
      code: "program-failed",
      message: expect.stringMatching(message),
    });
  });

  test.each([
    ["no program", {}, "program-missing"],
    ["another language", { "Pulumi.yaml": "name: x\nruntime: python\n" }, "program-language"],
    ["a broken Pulumi.yaml", { "Pulumi.yaml": "name: [" }, "project-invalid"],
  ])("is refused with %s", async (_what, files, code) => {
    await expect(programOf(files)).rejects.toMatchObject({ code, exitCode: 2 });
  });
});
