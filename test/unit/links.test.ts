import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";
import { presets } from "../../src/component/servers/presets.ts";
import { routerNames } from "../../src/core/router-names.ts";

const root = join(import.meta.dirname, "..", "..");

const pages = (folder: string): string[] =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md") && !file.includes("node_modules"))
    .map((file) => join(folder, file));

const documents = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", ...pages("docs"), ...pages("examples")];

/** A heading as GitHub makes an anchor of it. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number} _-]/gu, "")
    .replaceAll(" ", "-");

function anchorsOf(file: string): Set<string> {
  const text = readFileSync(join(root, file), "utf8").replace(/^```[\s\S]*?^```/gm, "");
  return new Set([...text.matchAll(/^#+ (.+)$/gm)].map((match) => anchorOf(match[1] ?? "")));
}

function linksOf(file: string): { readonly path: string; readonly anchor: string | undefined }[] {
  const text = readFileSync(join(root, file), "utf8").replace(/^```[\s\S]*?^```/gm, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? "")
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [path = "", anchor] = target.split("#");
      return { path: path === "" ? file : normalize(join(dirname(file), path)), anchor };
    });
}

test.each(documents)("the links in %s lead somewhere", (file) => {
  const broken = linksOf(file).filter(
    ({ path, anchor }) =>
      !existsSync(join(root, path)) || (anchor !== undefined && !anchorsOf(path).has(anchor)),
  );
  expect(broken).toEqual([]);
});

test("the README leads to every page, to those of model servers by their own", () => {
  const servers = join("docs", "servers", "README.md");
  const linked = new Set(["README.md", servers].flatMap(linksOf).map(({ path }) => path));
  expect(documents.filter((file) => file.startsWith("docs") && !linked.has(file))).toEqual([]);
});

test("every model server has its page, and its row among them", () => {
  const table = readFileSync(join(root, "docs", "servers", "README.md"), "utf8");
  const names = Object.keys(presets);
  expect(names.filter((name) => !existsSync(join(root, "docs", "servers", `${name}.md`)))).toEqual([]);
  expect(names.filter((name) => !table.includes(`| [\`${name}\`](${name}.md)`))).toEqual([]);
});

test("every router has its page", () => {
  expect(routerNames.filter((name) => !existsSync(join(root, "docs", "routers", `${name}.md`)))).toEqual([]);
});
