import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");

/** Paths below a package that may be imported, and why they are no private ones. */
const paths: readonly (readonly [RegExp, string])[] = [
  [/^@pulumi\/pulumi\/automation\/index\.js$/, "documented; ECMAScript modules name the file"],
  [/^protobufjs\/minimal\.js$/, "documented: the build without reflection"],
  [/^protobufjs\/light\.js$/, "documented: the build with reflection and without a parser"],
  [/^ajv\/dist\/2020\.js$/, "documented: the class for JSON schema 2020-12"],
  [/^typescript\/bin\/tsc$/, "the program that the package brings"],
  [/^vitest\/(config|node)$/, "exported"],
  [/^@pulumi\/pulumi\/proto\//, "Pulumi's protocol, for what stands in for one of its own processes"],
  [/^google-protobuf\/google\/protobuf\//, "documented: the well-known types of that protocol"],
];

test("other packages are imported by their public entries", () => {
  const files = ["src", "packages", "bin", "demo", "bench", "scripts", "test"]
    .flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((file) =>
        join(folder, file),
      ),
    )
    .filter((file) => /\.[jt]s$/.test(file) && !/node_modules|fixtures|\/dist\//.test(file));
  const imported = files.flatMap((file) =>
    [
      ...readFileSync(join(root, file), "utf8").matchAll(
        /\b(?:from |import |import\(|require\(|resolve\()"(((?:@[\w.-]+\/)?[a-z][\w.-]*)\/[^"]+)"/g,
      ),
    ]
      .filter(([, , name = ""]) => existsSync(join(root, "node_modules", name)))
      .map(([, specifier = ""]) => ({ file, specifier })),
  );
  const found = imported.filter(({ specifier }) => paths.some(([path]) => path.test(specifier)));
  expect(found.length).toBeGreaterThan(5);
  expect(imported.filter((each) => !found.includes(each))).toEqual([]);
});
