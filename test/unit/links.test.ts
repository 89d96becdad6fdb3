import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, test } from "vitest";

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

test("the README leads to every page", () => {
  const linked = new Set(linksOf("README.md").map(({ path }) => path));
  expect(documents.filter((file) => file.startsWith("docs") && !linked.has(file))).toEqual([]);
});

test("every router and every model server has its page", () => {
  for (const room of ["routers", "servers"]) {
    const help = new Set([
      "checks",
      "factory",
      "main-ingress",
      "nginx-request",
      "router",
      "shared",
      "preset-names",
      "preset-options",
      "presets",
    ]);
    const names = readdirSync(join(root, "src", "component", room))
      .filter((file) => file.endsWith(".ts") && !/\.(test|fixture)\.ts$/.test(file))
      .map((file) => file.replace(/\.ts$/, ""))
      .filter((name) => !help.has(name));
    expect(names.filter((name) => !existsSync(join(root, "docs", room, `${name}.md`)))).toEqual([]);
  }
});
