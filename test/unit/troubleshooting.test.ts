import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");

const sources = ["src", "packages/local-cluster/src", "demo"].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && !file.includes("fixture"))
    .map((file) => join(folder, file)),
);

/** A code stands alone: `a-kebab-case-word`. */
const form = /^[a-z]+(-[a-z]+)*$/;

const literalsIn = (node: ts.Node): string[] =>
  ts.isStringLiteral(node)
    ? [node.text]
    : ts.isConditionalExpression(node)
      ? [...literalsIn(node.whenTrue), ...literalsIn(node.whenFalse)]
      : ts.isBinaryExpression(node)
        ? literalsIn(node.right)
        : [];

const nameOf = (node: ts.Node): string => (ts.isIdentifier(node) ? node.text : "");

/**
 * The codes that a file can show: the values of `code:`, of a table called `codes`, and what is passed to functions whose
 * first parameter is called `code`.
 */
function codesIn(file: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(join(root, file), "utf8"),
    ts.ScriptTarget.Latest,
    true,
  );
  const found: string[] = [];
  const takers = new Set<string>();
  const walk = (visit: (node: ts.Node) => void) => {
    const each = (node: ts.Node): void => {
      visit(node);
      ts.forEachChild(node, each);
    };
    each(source);
  };
  walk((node) => {
    if (!ts.isFunctionLike(node) || nameOf(node.parameters[0]?.name ?? source) !== "code") return;
    if (ts.isFunctionDeclaration(node) && node.name !== undefined) takers.add(node.name.text);
    // `const refuse = (code, …) => …`, and `function usageErrorOf(…) { return (code, …) => … }` by what it is called with.
    else if (ts.isVariableDeclaration(node.parent)) takers.add(nameOf(node.parent.name));
    else if (ts.isReturnStatement(node.parent)) takers.add("*");
  });
  walk((node) => {
    if (ts.isPropertyAssignment(node) && nameOf(node.name) === "code")
      found.push(...literalsIn(node.initializer));
    if (ts.isVariableDeclaration(node) && nameOf(node.name) === "codes" && node.initializer !== undefined) {
      if (ts.isObjectLiteralExpression(node.initializer)) {
        for (const entry of node.initializer.properties)
          if (ts.isPropertyAssignment(entry)) found.push(...literalsIn(entry.initializer));
      }
    }
    if (ts.isCallExpression(node) && node.arguments[0] !== undefined) {
      const isTaker = takers.has(nameOf(node.expression));
      const isReturned = takers.has("*") && /error/i.test(nameOf(node.expression));
      if (isTaker || isReturned) found.push(...literalsIn(node.arguments[0]));
    }
  });
  return found.filter((code) => form.test(code));
}

const thrown = new Set(sources.flatMap(codesIn));
const document = readFileSync(join(root, "docs", "troubleshooting.md"), "utf8");
const documented = new Set([...document.matchAll(/`([a-z]+(?:-[a-z]+)*)`/g)].map((match) => match[1] ?? ""));

test("the codes are found, in whatever way they are written", () => {
  // One of each way.
  for (const code of [
    "config-missing",
    "unknown-option",
    "root-needed",
    "deployment-failed",
    "argument-conflict",
  ])
    expect(thrown).toContain(code);
  expect(thrown.size).toBeGreaterThan(100);
});

test("every error code that the program can show is in docs/troubleshooting.md", () => {
  // Else: write there what to do about it.
  expect([...thrown].filter((code) => !documented.has(code)).sort()).toEqual([]);
});

test("every code in docs/troubleshooting.md is one that the program can show", () => {
  const listed = [...document.matchAll(/^- ((?:`[a-z]+(?:-[a-z]+)*`(?: \([^)]*\))?(?:, )?)+)/gm)].flatMap(
    (match) => [...(match[1] ?? "").matchAll(/`([^`]+)`/g)].map((code) => code[1] ?? ""),
  );
  expect(listed.length).toBeGreaterThan(80);
  expect(listed.filter((code) => !thrown.has(code)).sort()).toEqual([]);
});
