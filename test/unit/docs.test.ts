import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { commands } from "../../src/cli/commands/index.ts";

const root = join(import.meta.dirname, "..", "..");

interface Block {
  readonly file: string;
  readonly line: number;
  readonly language: string;
  readonly text: string;
}

const documents = [
  ...readdirSync(root).filter((file) => file.endsWith(".md")),
  ...["docs", "examples"].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".md") && !file.includes("node_modules"))
      .map((file) => join(folder, file)),
  ),
];

const blocks: Block[] = documents.flatMap((file) => {
  const found: Block[] = [];
  const lines = readFileSync(join(root, file), "utf8").split("\n");
  let open: { language: string; line: number; text: string[] } | undefined;
  for (const [index, line] of lines.entries()) {
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence === null) open?.text.push(line);
    else if (open === undefined) open = { language: fence[1] ?? "", line: index + 1, text: [] };
    else {
      found.push({ file, line: open.line, language: open.language, text: open.text.join("\n") });
      open = undefined;
    }
  }
  return found;
});

const inLanguage = (...languages: string[]) =>
  blocks
    .filter((block) => languages.includes(block.language))
    .map((block) => [`${block.file}:${block.line}`, block] as const);

describe("code blocks in the documentation", () => {
  test("every block names a language that is checked", () => {
    const known = ["ts", "sh", "json", "yaml", "console", "text"];
    expect(
      blocks.filter((block) => !known.includes(block.language)).map((block) => `${block.file}:${block.line}`),
    ).toEqual([]);
  });

  test("TypeScript blocks are valid programs", { timeout: 120_000 }, () => {
    const config = ts.parseConfigFileTextToJson(
      "tsconfig.json",
      readFileSync(join(root, "tsconfig.json"), "utf8"),
    );
    const { options } = ts.convertCompilerOptionsFromJson(
      (config.config as { compilerOptions: object }).compilerOptions,
      root,
    );
    const programs = new Map(
      inLanguage("ts").map(([where, block], index) => [join(root, `block-${index}.ts`), { where, block }]),
    );
    const host = ts.createCompilerHost(options);
    const { readFile, fileExists, getSourceFile } = host;
    host.fileExists = (file) => programs.has(file) || fileExists(file);
    host.readFile = (file) => programs.get(file)?.block.text ?? readFile(file);
    host.getSourceFile = (file, languageVersion, ...rest) => {
      const program = programs.get(file);
      return program === undefined
        ? getSourceFile(file, languageVersion, ...rest)
        : ts.createSourceFile(file, program.block.text, languageVersion);
    };
    const program = ts.createProgram(
      [...programs.keys()],
      { ...options, paths: { modelswitch: [join(root, "src/index.ts")] } },
      host,
    );
    const problems = ts.getPreEmitDiagnostics(program).map((diagnostic) => {
      const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
      const where = programs.get(diagnostic.file?.fileName ?? "")?.where ?? diagnostic.file?.fileName ?? "";
      return `${where}: ${message}`;
    });
    expect(problems).toEqual([]);
  });

  test.each(inLanguage("json"))("JSON at %s parses", (_where, block) => {
    expect(() => JSON.parse(block.text)).not.toThrow();
  });

  test.each(inLanguage("yaml"))("YAML at %s parses", (_where, block) => {
    expect(
      parseAllDocuments(block.text).flatMap((document) => ("errors" in document ? document.errors : [])),
    ).toEqual([]);
  });

  test.each(inLanguage("sh"))("commands at %s exist, with these options", (_where, block) => {
    const problems: string[] = [];
    for (const line of block.text.replaceAll("\\\n", " ").split("\n")) {
      for (const part of line.replace(/\s#.*$/, "").split(/&&|\|\||[;|]/)) {
        const words = part.trim().split(/\s+/);
        const start = words[0] === "npx" ? 1 : 0;
        if (words[start] !== "modelswitch") continue;
        const problem = problemOf(words.slice(start + 1));
        if (problem !== undefined) problems.push(`${part.trim()}: ${problem}`);
      }
    }
    expect(problems).toEqual([]);
  });
});

const globalOptions = [
  "folder",
  "config",
  "kubeconfig",
  "context",
  "cluster",
  "model",
  "environment",
  "json",
  "debug",
  "yes",
  "help",
  "version",
];

function problemOf(words: readonly string[]): string | undefined {
  const plain = words.filter((word) => !word.startsWith("-"));
  const command = commands
    .filter(({ name }) => name === plain.slice(0, name.split(" ").length).join(" "))
    .toSorted((a, b) => b.name.length - a.name.length)[0];
  if (command === undefined)
    return words.every((word) => word.startsWith("-")) ? undefined : "no such command";
  const end = words.indexOf("--");
  for (const word of end === -1 ? words : words.slice(0, end)) {
    if (!word.startsWith("--")) continue;
    const name = word.slice(2).split("=")[0] ?? "";
    if (!globalOptions.includes(name) && !(command.options ?? []).some((option) => option.name === name)) {
      return `no option --${name}`;
    }
  }
  return undefined;
}
