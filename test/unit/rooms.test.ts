import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const source = join(root, "src");

/** What each room may import; `*` is every other room. The table in CONTRIBUTING.md says the same. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  core: [],
  kubernetes: ["core"],
  tools: ["core"],
  slots: ["core", "kubernetes"],
  component: ["core", "kubernetes", "slots"],
  config: ["core", "kubernetes", "component/servers", "component/routers"],
  "kubernetes-provider": ["core", "kubernetes"],
  engine: ["core", "kubernetes", "slots", "tools", "kubernetes-provider"],
  "local-cluster": ["core", "kubernetes", "tools", "images"],
  images: ["core", "tools"],
  calls: ["core", "tools"],
  gates: ["core", "calls"],
  notifications: ["core", "calls"],
  rollout: [
    "core",
    "kubernetes",
    "slots",
    "component",
    "config",
    "engine",
    "calls",
    "gates",
    "notifications",
    "local-cluster/cluster.ts",
  ],
  cli: ["*"],
};

const files = readdirSync(source, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts") && file.includes("/"))
  .map((file) => ({ file, text: readFileSync(join(source, file), "utf8") }));

function importsOf(file: string, text: string): string[] {
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map(
    (match) => match[1] ?? "",
  );
  return specifiers.map((specifier) => relative(source, join(source, file, "..", specifier)));
}

describe("the rooms of the house", () => {
  test.each(Object.keys(allowed))("%s imports only what is below it", (room) => {
    const wrong = files
      .filter(({ file }) => file.startsWith(`${room}/`) && !file.endsWith(".test.ts"))
      .flatMap(({ file, text }) =>
        importsOf(file, text)
          .filter((imported) => !imported.startsWith(`${room}/`) && !imported.startsWith(".."))
          .filter((imported) => !(allowed[room] ?? []).some((may) => may === "*" || imported.startsWith(may)))
          .map((imported) => `${file} imports ${imported}`),
      );
    expect(wrong).toEqual([]);
  });

  test("every room is in the table", () => {
    const rooms = new Set(files.map(({ file }) => file.split("/")[0]));
    expect([...rooms].filter((room) => room !== undefined && !(room in allowed))).toEqual([]);
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
    const others: Readonly<Record<string, string>> = {
      "local-cluster/readiness.ts": "nodes",
      "local-cluster/addons.ts": "APIServices",
    };
    const readers = files
      .filter(({ file }) => !file.endsWith(".test.ts") && !/^(slots|kubernetes-provider)\//.test(file))
      .filter(({ file, text }) => said.test(text) && others[file] === undefined)
      .map(({ file }) => file);
    expect(readers).toEqual([]);
  });

  test("core touches no clock, network, file system or library, but for the system clock itself", () => {
    const impure = files
      .filter(
        ({ file }) => file.startsWith("core/") && !file.endsWith(".test.ts") && file !== "core/clock.ts",
      )
      .filter(({ text }) => /from "(?!\.)|Date\.now|new Date\(\)|Math\.random|fetch\(|process\./.test(text))
      .map(({ file }) => file);
    expect(impure).toEqual([]);
  });
});
