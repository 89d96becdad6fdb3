import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import {
  arrows,
  circles,
  forbiddenImports,
  innerRooms,
  rooms,
  type SourceFile,
  sourceFiles,
} from "../../scripts/rooms.ts";

const root = join(import.meta.dirname, "..", "..");
const source = join(root, "src");
const all = sourceFiles();

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && file.includes("/"))
  .map((file) => ({ file, text: readFileSync(join(source, file), "utf8") }));

describe("the rooms of the house", () => {
  test("import only what is below them", () => {
    expect(forbiddenImports(all)).toEqual([]);
  });

  test("have no files that import each other in a circle", () => {
    expect(circles(all)).toEqual([]);
  });

  test("are all in the table, and every file of a room with rooms inside is in one of them", () => {
    const known = rooms.map(({ folder }) => folder);
    const unknown = all.filter(({ file }) => !known.includes(file.split("/")[0] ?? ""));
    const loose = all.filter(({ file }) => {
      const [outer = "", inner = ""] = file.split("/");
      return innerRooms[outer]?.every(({ folder }) => folder !== inner) === true;
    });
    expect([...unknown, ...loose].map(({ file }) => file)).toEqual([]);
  });

  test("what is wrong is found: an import upwards, and a circle", () => {
    const wrong: SourceFile[] = [
      { file: "core/a.ts", imports: ["core/b.ts"] },
      { file: "core/b.ts", imports: ["core/c.ts"] },
      { file: "core/c.ts", imports: ["core/a.ts", "cli/d.ts"] },
      { file: "rollout/plan/e.ts", imports: ["rollout/release/f.ts", "rollout/record/g.ts", "tools/h.ts"] },
    ];
    expect(circles(wrong)).toEqual([["core/a.ts", "core/b.ts", "core/c.ts"]]);
    expect(forbiddenImports(wrong)).toEqual([
      "core/c.ts imports cli/d.ts",
      "rollout/plan/e.ts imports rollout/release/f.ts",
      "rollout/plan/e.ts imports tools/h.ts",
    ]);
  });

  test("the map shows each room with those that it imports", () => {
    const lines = arrows(all);
    expect(lines).toContain("core -> nothing");
    expect(lines).toContain("slots -> core, kubernetes");
    expect(lines).toHaveLength(rooms.reduce((sum, { folder }) => sum + (innerRooms[folder]?.length ?? 1), 0));
  });

  test("the life of a release names files that are there", () => {
    const page = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
    const life = page.slice(page.indexOf("## The life of a release")).split("\n## ")[0] ?? "";
    const named = [...life.matchAll(/`([a-z/-]+(?:\.ts|\/))`/g)].map(([, path = ""]) => path);
    expect(named.length).toBeGreaterThan(25);
    expect(named.filter((path) => !existsSync(join(source, path)))).toEqual([]);
  });

  test("no command loads Pulumi's SDK before it runs Pulumi: it takes half a second, and a rollback has one", () => {
    const texts = new Map(files.map(({ file, text }) => [file, text]));
    const importsAtStart = (file: string) =>
      [...(texts.get(file) ?? "").matchAll(/^(?:import|export)(?! type)[^;]*? from "([^"]+)";/gm)].map(
        (match) => match[1] ?? "",
      );
    const loaded = new Set(
      files.map(({ file }) => file).filter((file) => /^(cli|rollout)\/(?!.*\.test)/.test(file)),
    );
    for (const file of loaded) {
      for (const specifier of importsAtStart(file)) {
        if (specifier.startsWith(".")) loaded.add(relative(source, join(source, file, "..", specifier)));
      }
    }
    expect(loaded.size).toBeGreaterThan(200);
    expect(
      [...loaded].filter((file) => importsAtStart(file).some((name) => name.startsWith("@pulumi/"))),
    ).toEqual([]);
  });

  test("whether pods are ready, and why not, is read in src/slots alone", () => {
    // What Kubernetes says of pods, their containers, Deployments and endpoints.
    const said =
      /\b(?:containerStatuses|initContainerStatuses|ContainersReady|PodScheduled|availableReplicas)\b|(?<!["',])\bstatus\??\.(?:conditions|phase|readyReplicas|updatedReplicas|observedGeneration)\b|type === "Ready"|conditions\??\.ready\b/;
    const readers = files
      .filter(({ file }) => !file.endsWith(".test.ts") && !file.startsWith("slots/"))
      .filter(({ text }) => said.test(text))
      .map(({ file }) => file);
    expect(readers).toEqual([]);
  });

  test("local clusters are a package of their own: it knows support.ts alone, and is known by its name", () => {
    const folder = join(root, "packages", "local-cluster", "src");
    const named = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) =>
        [...readFileSync(join(folder, file), "utf8").matchAll(/"((?:\.\.\/)+src\/[^"]+)"/g)].map(
          ([, specifier = ""]) => specifier.replace(/^(\.\.\/)+/, ""),
        ),
      );
    expect([...new Set(named)]).toEqual(["src/support.ts"]);
    const knowing = files.filter(
      ({ file, text }) => !file.endsWith(".test.ts") && text.includes("packages/"),
    );
    expect(knowing.map(({ file }) => file)).toEqual([]);
  });

  test("core touches no clock, network, file system or library, but for the system clock itself", () => {
    const impure = files
      .filter(
        ({ file }) =>
          file.startsWith("core/") && !/\.(test|fixture)\.ts$/.test(file) && file !== "core/clock.ts",
      )
      .filter(({ text }) =>
        /from "(?!\.)|Date\.now|new Date\(\)|Math\.random|fetch\(|(?<!-)process\.\w/.test(text),
      )
      .map(({ file }) => file);
    expect(impure).toEqual([]);
  });
});
