import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "./read.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "modelswitch-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const yaml = "name: fraud\nrelease:\n  image: a:1\ningress:\n  host: a.b\n";
const json = JSON.stringify({ name: "fraud", release: { image: "a:1" }, ingress: { host: "a.b" } });
const ts = `export default ${json};\n`;
const utf16 = (text: string, bigEndian = false) => {
  const bytes = Buffer.from(`\uFEFF${text}`, "utf16le");
  return bigEndian ? bytes.swap16() : bytes;
};

const read = async (extension: string, contents: string | Uint8Array) => {
  writeFileSync(join(folder, `modelswitch.config.${extension}`), contents);
  return (await readConfig({ folder, configPath: undefined, env: {} })).config;
};

describe("is read as it is meant:", () => {
  test.each<[string, string, string | Uint8Array]>([
    ["YAML with a byte order mark", "yaml", `\uFEFF${yaml}`],
    ["YAML of Windows", "yaml", utf16(yaml.replaceAll("\n", "\r\n"))],
    ["YAML in UTF-16 the other way round", "yaml", utf16(yaml, true)],
    ["JSON with a byte order mark", "json", `\uFEFF${json}`],
    ["JSON in UTF-16", "json", utf16(json)],
    ["TypeScript with a byte order mark", "ts", `\uFEFF${ts}`],
    ["JavaScript with a byte order mark", "mjs", `\uFEFF${ts}`],
    ["the end of a document, and an empty one after it", "yaml", `---\n${yaml}---\n`],
    [
      "merge keys and a key that holds their anchor",
      "yaml",
      `x-base: &base\n  host: a.b\n.image: &image a:1\nname: fraud\nrelease: { image: *image }\ningress:\n  <<: *base\n`,
    ],
    [
      "an anchor that is used often",
      "yaml",
      `x-all: [${"*i, ".repeat(300)}]\n`.replace("*i", "&i a:1").concat(yaml),
    ],
  ])("%s", async (_what, extension, contents) => {
    expect(await read(extension, contents)).toMatchObject({
      name: "fraud",
      release: { image: "a:1" },
      ingress: { host: "a.b" },
    });
  });
});

test("TypeScript in UTF-16 is read, too", () => {
  // The test runner's own loader would read the file itself.
  writeFileSync(join(folder, "modelswitch.config.ts"), utf16(ts));
  const reader = JSON.stringify(new URL("./read.ts", import.meta.url).href);
  const program = `const { readConfig } = await import(${reader}); console.log((await readConfig({ folder: ${JSON.stringify(folder)} })).config.name);`;
  const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
  });
  expect(stdout.trim()).toBe("fraud");
});

describe("is refused in words, with the place:", () => {
  const grows = `a: &a [1,1,1,1,1,1,1,1,1,1]\n${["b", "c", "d", "e", "f"]
    .map((name, index) => `${name}: &${name} [${`*${"abcdef"[index]}, `.repeat(10)}]`)
    .join("\n")}\n`;
  test.each<[string, string, string | Uint8Array, string, string]>([
    ["an alias without an anchor", "yaml", "name: fraud\nrelease: *base\n", ":2:10", "*base has no anchor"],
    ["a host that begins with a star", "yaml", "ingress:\n  host: *.a.b\n", ":2:9", "in quotes"],
    ["an alias inside of its anchor", "yaml", "release: &r\n  env: *r\n", ":2:8", "inside of its own anchor"],
    ["aliases of aliases", "yaml", grows, ":2:", "grow without end"],
    ["a second document", "yaml", `${yaml}---\nname: b\n`, ":7:1", "a second document"],
    ["an unknown tag", "yaml", "name: !Ref fraud\n", ":1:7", "!Ref"],
    ["a tag that is code", "yaml", "name: !!python/object/apply:os.system [ls]\n", ":1:7", "unknown tag"],
    ["a key twice", "yaml", "name: a\nname: b\n", ":2:1", "twice"],
    ["a key twice in JSON", "json", '{\n"name": "a",\n"name": "b"}', ":3:1", "twice"],
    ["a tab as indentation", "yaml", "release:\n\timage: a:1\n", ":2:1", "tab"],
    ["a merge of a text", "yaml", "x: &x a\nrelease:\n  <<: *x\n", ":3:3", "merge key"],
    ["an empty file", "yaml", "", ":1:1", "empty"],
    ["only comments", "yaml", "# later\n", ":1:1", "empty"],
    ["an empty JSON file", "json", "", ":1:1", "empty"],
    ["JSON with comments", "json", '{\n  // why\n  "name": "a"\n}', ":2:3", "JSON has none"],
    ["Latin-1", "yaml", Buffer.from("name: fraud\n# caf\xe9\n", "latin1"), "", "line 2"],
    ["no text", "yaml", Buffer.from([0x50, 0x4b, 3, 4, 0, 0]), "", "NUL"],
    ["UTF-16 that does not say so", "json", Buffer.from(json, "utf16le"), "", "UTF-16"],
    ["an octal of YAML 1.1", "yaml", `${yaml}servicePort: 0o20000000\n`, "", "servicePort"],
    ["yes for true", "yaml", `${yaml}server: yes\n`, "", "server"],
    ["a number as a name", "yaml", yaml.replace("fraud", "1.10"), "", "name"],
    [
      "a value that contains itself",
      "ts",
      `const a: any = ${json}; a.release.env = a; export default a;`,
      "",
      "release.env",
    ],
  ])("%s", async (_what, extension, contents, place, part) => {
    const error: unknown = await read(extension, contents).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ exitCode: 2, code: expect.stringMatching(/^config-(syntax|invalid)$/) });
    const { message } = error as Error;
    expect(message).toContain(`modelswitch.config.${extension}${place}`);
    expect(message).toContain(part);
  });

  test("a folder of that name", async () => {
    mkdirSync(join(folder, "modelswitch.config.yaml"));
    const reading = readConfig({ folder, configPath: undefined });
    await expect(reading).rejects.toMatchObject({ code: "config-missing", exitCode: 2 });
    await expect(reading).rejects.toThrow("it is a folder");
  });
});
