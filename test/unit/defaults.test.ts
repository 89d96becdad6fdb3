import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { expect, test } from "vitest";
import { type JsonSchema, modelJsonSchema } from "../../src/config/model/model-schema.ts";

const source = join(import.meta.dirname, "..", "..", "src");

/** The `@default`s of all properties of a name, in the types that a configuration is made of. */
function documentedDefaults(): ReadonlyMap<string, ReadonlySet<string>> {
  const found = new Map<string, Set<string>>();
  const files = [
    "config/model",
    "config/parts",
    "config/rollout",
    "core",
    "gates",
    "component/servers",
  ].flatMap((folder) =>
    readdirSync(join(source, folder))
      .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
      .map((file) => join(source, folder, file)),
  );
  const look = (node: ts.Node): void => {
    const tags = ts.isPropertySignature(node) ? ts.getJSDocTags(node) : [];
    for (const { tagName, comment } of tags) {
      if (tagName.text !== "default" || !ts.isPropertySignature(node)) continue;
      const name = node.name.getText();
      const texts = found.get(name) ?? new Set();
      found.set(name, texts.add(beginning(ts.getTextOfJSDocComment(comment) ?? "")));
    }
    ts.forEachChild(node, look);
  };
  for (const file of files) {
    look(ts.createSourceFile(file, readFileSync(file, "utf8"), ts.ScriptTarget.Latest, true));
  }
  return found;
}

/** What the default is; what comes after it says why or when. */
const beginning = (text: string): string => text.replaceAll("`", "").split(/[,;:.]( |$)/)[0] ?? "";

/** Functions demand it; only where the model has a name already there is a default. */
const inFilesAlone = ["modelName"];

test("the default that the schema tells of a key is the one that its type documents", () => {
  const documented = documentedDefaults();
  const told: { readonly path: string; readonly key: string; readonly text: string }[] = [];
  const look = (
    schema: JsonSchema & { readonly [key: string]: unknown },
    key: string,
    path: string,
  ): void => {
    const text = /Default: (.*)$/.exec(String(schema.description))?.[1];
    if (text !== undefined) told.push({ path, key, text: beginning(text) });
    const inner = [schema.anyOf, schema.oneOf, schema.items].flat().filter((each) => each !== undefined);
    for (const each of inner) look(each as typeof schema, "", path);
    for (const [name, each] of Object.entries(schema.properties ?? {})) {
      look(each as typeof schema, name, `${path}.${name}`);
    }
  };
  look(modelJsonSchema() as Parameters<typeof look>[0], "", "");
  expect(told.length).toBeGreaterThan(100);
  const differing = told.filter(
    ({ key, text }) => key !== "" && !inFilesAlone.includes(key) && documented.get(key)?.has(text) !== true,
  );
  expect(differing).toEqual([]);
});
