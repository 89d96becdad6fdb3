/**
 * The rooms of the house and who may import whom. `node scripts/rooms.ts` prints each room with the rooms that it imports, from
 * the imports as they are; a test compares them with this table, and the table in CONTRIBUTING.md with it.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";

/** A folder below `src`. */
export interface Room {
  readonly folder: string;
  /** What lives there. */
  readonly about: string;
  /** Rooms, or single files, that it may import; `*` is every other room. */
  readonly mayImport: readonly string[];
}

const rollout = [
  "core",
  "kubernetes",
  "slots",
  "component",
  "config",
  "tools/state-folder.ts",
  "state",
  "engine",
  "calls",
  "gates",
  "notifications",
];

/** Outer rooms. Those of `rollout` and `config` have rooms inside. */
export const rooms: readonly Room[] = [
  {
    folder: "core",
    about:
      "slots, routing, releases, identity, errors, events; `statistics/`, a method in each file: pure, no I/O, no Pulumi",
    mayImport: [],
  },
  { folder: "kubernetes", about: "the API client, kubeconfig", mayImport: ["core"] },
  {
    folder: "tools",
    about: "obtaining programs: cache, PATH, release, registry; this user's folders and files",
    mayImport: ["core"],
  },
  {
    folder: "slots",
    about: "which pods are a slot's, whether it is ready, and why not",
    mayImport: ["core", "kubernetes"],
  },
  {
    folder: "component",
    about: "`BlueGreenModel`; `routers/`, one file per dialect; `servers/`, one per model server",
    mayImport: ["core", "kubernetes", "slots"],
  },
  {
    folder: "config",
    about: "`modelswitch.config.*`",
    mayImport: ["core", "kubernetes", "component/servers", "component/routers", "gates"],
  },
  {
    folder: "state",
    about: "Pulumi's state in the cluster: which copy is valid, its parts and its key",
    mayImport: ["core", "kubernetes", "tools"],
  },
  {
    folder: "engine",
    about: "Pulumi: CLI, stacks, provider choice, running programs",
    mayImport: ["core", "kubernetes", "slots", "tools", "state"],
  },
  {
    folder: "calls",
    about: "hooks: asking programs and addresses, signed, within a time",
    mayImport: ["core", "tools"],
  },
  {
    folder: "gates",
    about: "gates: one file per kind, and what they say together",
    mayImport: ["core", "calls", "config/parts"],
  },
  { folder: "notifications", about: "telling people of a rollout", mayImport: ["core", "calls"] },
  { folder: "rollout", about: "releases, switches and ways back", mayImport: rollout },
  { folder: "cli", about: "commands as data, output, exit codes", mayImport: ["*"] },
];

/** Rooms inside a room, in their order: each may import those before it alone. */
export const innerRooms: Readonly<Record<string, readonly Pick<Room, "folder" | "about">[]>> = {
  config: [
    { folder: "parts", about: "what is said of a wrong value; the pieces of schemas" },
    { folder: "rollout", about: "how releases go live: steps, gates, hooks, windows" },
    { folder: "model", about: "what runs: servers, releases, the Ingress; types and rules" },
    { folder: "file", about: "reading a file in any of its forms, merging environments and flags" },
    { folder: "report", about: "what the configuration comes to, and where each value is from" },
  ],
  rollout: [
    { folder: "record", about: "what is remembered of a model: releases, rollouts, reports" },
    {
      folder: "report",
      about: "reports for people: Markdown, a page with drawings; whether their chain holds",
    },
    { folder: "lock", about: "one command at a time: the Lease, its holder, asking it" },
    { folder: "observe", about: "what the cluster says at this moment; where the ingress is" },
    { folder: "proof", about: "asking the ingress which slot answers, and what the answers prove" },
    { folder: "program", about: "Pulumi's program and stack; objects it does not know, changes by hand" },
    { folder: "context", about: "what every command works with, and what it needs before it begins" },
    { folder: "ingress", about: "proving a model's routing at its ingress; others with its host" },
    { folder: "plan", about: "what `up` and a rollout are to do, decided before anything is written" },
    { folder: "capacity", about: "whether nodes, quotas and policies let the pods in" },
    { folder: "traffic", about: "writing the routing: fast, and through Pulumi" },
    { folder: "release", about: "the executor: one step of a rollout after the other, and what it hears" },
    { folder: "commands", about: "what each command does with all of this" },
    { folder: "adoption", about: "taking over what runs, and giving it back" },
    { folder: "migration", about: "moving a model from one router to another, a stage after the other" },
  ],
};

const source = join(import.meta.dirname, "..", "src");

/** A source file, its tests left out, and the files below `src` that it imports. */
export interface SourceFile {
  readonly file: string;
  readonly imports: readonly string[];
}

/** All source files in rooms. Type imports count: who knows a type depends on it. */
export function sourceFiles(): readonly SourceFile[] {
  return readdirSync(source, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts") && file.includes("/"))
    .sort()
    .map((file) => {
      const text = readFileSync(join(source, file), "utf8");
      const found = text.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g);
      const imports = [...found].map(([, specifier = ""]) =>
        relative(source, join(source, file, "..", specifier)),
      );
      return { file, imports: imports.filter((one) => !one.startsWith("..")) };
    });
}

/** The innermost room that a file is in, for example `rollout/plan`. */
export function roomOf(file: string): string {
  const [outer = "", inner = ""] = file.split("/");
  return innerRooms[outer]?.some(({ folder }) => folder === inner) === true ? `${outer}/${inner}` : outer;
}

/** Imports that the tables do not allow, `FILE imports FILE`. */
export function forbiddenImports(files: readonly SourceFile[]): string[] {
  return files.flatMap(({ file, imports }) =>
    imports.filter((imported) => !isAllowed(file, imported)).map((imported) => `${file} imports ${imported}`),
  );
}

function isAllowed(file: string, imported: string): boolean {
  const [outer = "", inner = ""] = file.split("/");
  const [otherOuter = "", otherInner = ""] = imported.split("/");
  if (outer !== otherOuter) {
    const may = rooms.find(({ folder }) => folder === outer)?.mayImport ?? [];
    return may.some((one) => one === "*" || imported === one || imported.startsWith(`${one}/`));
  }
  const order = innerRooms[outer]?.map(({ folder }) => folder);
  return order === undefined || order.indexOf(otherInner) <= order.indexOf(inner);
}

/** Files that import each other in a circle, each circle once. Tarjan's strongly connected components. */
export function circles(files: readonly SourceFile[]): string[][] {
  const importsOf = new Map(files.map(({ file, imports }) => [file, imports]));
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (file: string): number => {
    const own = index.size;
    index.set(file, own);
    open.push(file);
    let lowest = own;
    for (const next of importsOf.get(file) ?? []) {
      if (!importsOf.has(next)) continue;
      const seen = index.get(next);
      if (seen === undefined) lowest = Math.min(lowest, visit(next));
      else if (open.includes(next)) lowest = Math.min(lowest, seen);
    }
    low.set(file, lowest);
    if (lowest === own) {
      const circle = open.splice(open.indexOf(file));
      if (circle.length > 1) found.push(circle.sort());
    }
    return lowest;
  };
  for (const { file } of files) if (!index.has(file)) visit(file);
  return found;
}

/** Each room and the rooms that it imports, a line each. */
export function arrows(files: readonly SourceFile[]): string[] {
  const imported = new Map<string, Set<string>>();
  for (const { file, imports } of files) {
    const room = roomOf(file);
    const of = imported.get(room) ?? new Set();
    imported.set(room, of);
    for (const one of imports) if (one.includes("/") && roomOf(one) !== room) of.add(roomOf(one));
  }
  return [...imported].map(([room, others]) => `${room} -> ${[...others].sort().join(", ") || "nothing"}`);
}

/** The page with the table of the rooms as it is here. */
export function withRooms(page: string): string {
  const rows = rooms.flatMap(({ folder, about, mayImport }) => {
    const others = mayImport.map((one) => (one === "*" ? "all above" : one)).join(", ");
    const inner = (innerRooms[folder] ?? []).map(
      (room, index) =>
        `| \`src/${folder}/${room.folder}\` | ${room.about} | ${index === 0 ? "" : `those of \`${folder}\` above`} |`,
    );
    return [`| \`src/${folder}\` | ${about} | ${others === "" ? "nothing" : others} |`, ...inner];
  });
  const table = ["| room | what lives there | may import |", "| --- | --- | --- |", ...rows].join("\n");
  return page.replace(/(<!-- rooms -->\n)[\s\S]*?(<!-- end -->)/, `$1\n${table}\n\n$2`);
}

if (process.argv[1] === import.meta.filename) console.log(arrows(sourceFiles()).join("\n"));
