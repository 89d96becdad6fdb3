import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);

/** In a process of its own: what is loaded there stays loaded. */
async function evaluated(script: string): Promise<string[]> {
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", script], {
    cwd: import.meta.dirname,
  });
  return stdout.trim().split("\n");
}

const begin = `
  import { createRequire } from "node:module";
  import { pathToFileURL } from "node:url";
  const here = pathToFileURL(process.cwd() + "/deferred-modules.ts").href;
  const { deferLoading } = await import(here);
  const require = createRequire(here);
  const isLoaded = (name) => Object.keys(require.cache).some((file) => file.includes(name) && require.cache[file].children?.length > 0);
`;

test("Pulumi's SDK is imported without what only serialized functions need, which works when it is used", async () => {
  const [before, code, after, extra] = await evaluated(`${begin}
    deferLoading(here);
    const pulumi = (await import("@pulumi/pulumi")).default;
    console.log(isLoaded("/arborist/lib/"));
    const { text } = await pulumi.runtime.serializeFunction(() => 41 + 1);
    console.log(text.includes("41 + 1"));
    const paths = await pulumi.runtime.computeCodePaths();
    console.log(isLoaded("/arborist/lib/"));
    console.log(paths.size > 0);
  `);
  expect([before, code, after, extra]).toEqual(["false", "true", "true", "true"]);
});

test("a program that imports TypeScript itself gets the real one", async () => {
  const lines = await evaluated(`${begin}
    deferLoading(here);
    await import("@pulumi/pulumi");
    const { ScriptKind, default: all } = await import("typescript");
    console.log(ScriptKind.TS, typeof all.createSourceFile, require("typescript") === all);
  `);
  expect(lines).toEqual(["3 function true"]);
});

test("where Pulumi's SDK cannot be found, or is loaded already, nothing happens", async () => {
  const lines = await evaluated(`${begin}
    deferLoading("file:///nowhere/at/all.js");
    await import("@pulumi/pulumi");
    console.log(isLoaded("/arborist/lib/"));
    deferLoading(here);
    console.log(isLoaded("/arborist/lib/"));
  `);
  expect(lines).toEqual(["true", "true"]);
});
