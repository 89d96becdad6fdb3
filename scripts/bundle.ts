/**
 * Writes the package's JavaScript into `dist`, or into the folder named: few files instead of hundreds, since loading each of them is a good part of the time that a command
 * takes. Other libraries stay what npm installs, so that their updates reach users without ours, and Pulumi's must be one with the program's.
 */
import { copyFile, rm } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { rolldown } from "rolldown";

const root = join(import.meta.dirname, "..");
const source = join(root, "src");
const target = resolve(process.argv[2] ?? join(root, "dist"));

/**
 * What of a module says where it is must go on saying so: files of the package are found from there. All chunks lie in `dist` itself, and from there
 * the module's former place is named.
 */
function placeOf(code: string, file: string): string {
  const place = relative(source, file).replace(/\.ts$/, ".js");
  return code
    .replaceAll("import.meta.url", `new URL(${JSON.stringify(`./${place}`)}, import.meta.url).href`)
    .replaceAll("import.meta.dirname", `(import.meta.dirname + ${JSON.stringify(`/${dirname(place)}`)})`);
}

// What an earlier build left would be packed, too.
await rm(target, { recursive: true, force: true });

const entries = {
  process: join(source, "cli", "process.ts"),
  index: join(source, "index.ts"),
  support: join(source, "support.ts"),
  // Loaded by its address, in place of the package, by configuration files.
  "config/file/light": join(source, "config", "file", "light.ts"),
} as const;

/**
 * Of the libraries this is taken in, with its licence: it checks what is on the user's own machine, and its hundred files take longer to load
 * than to do that. The same of yaml gained nothing.
 */
const takenIn = ["zod"] as const;
const folderOf = (library: string) => join(root, "node_modules", library);
const isTakenIn = (id: string) =>
  takenIn.some((library) => id === library || id.startsWith(join(folderOf(library), "/")));

const bundle = await rolldown({
  input: entries,
  platform: "node",
  preserveEntrySignatures: "allow-extension",
  external: (id) => !id.startsWith(".") && !id.startsWith(source) && !isTakenIn(id),
  plugins: [
    {
      name: "place",
      transform: (code, file) =>
        file.startsWith(source) && code.includes("import.meta") ? placeOf(code, file) : null,
    },
    {
      name: "one-language",
      // zod's messages in sixty others: ours are made from what it found, not from its words.
      load: (file) =>
        file === join(folderOf("zod"), "v4", "locales", "index.js")
          ? 'export { default as en } from "./en.js";'
          : null,
    },
  ],
  onLog: (level, log, handler) => {
    // That a module is loaded early somewhere and late elsewhere is meant: each command loads what it needs.
    if (log.code !== "INEFFECTIVE_DYNAMIC_IMPORT") handler(level, log);
  },
});
const format = {
  dir: target,
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name]-[hash].js",
} as const;
const { output: drafted } = await bundle.generate(format);
const atStart = modulesOf("process", { later: false });
const inPrograms = new Set(
  Object.keys(entries)
    .filter((name) => name !== "process")
    .flatMap((name) => [...modulesOf(name, { later: true })]),
);
const { output } = await bundle.write({
  ...format,
  codeSplitting: {
    // What every command loads in any case is two files: what programs load, too, is apart, since they need no command line.
    groups: [
      { name: "common", test: (id) => atStart.has(id) && inPrograms.has(id) },
      { name: "start", test: (id) => atStart.has(id) && !inPrograms.has(id) },
    ],
    includeDependenciesRecursively: false,
  },
});
await bundle.close();
for (const library of takenIn)
  await copyFile(join(folderOf(library), "LICENSE"), join(target, `LICENSE-${library}`));

/** The modules that an entry loads at once; with `later`, also those that it may load. */
function modulesOf(entry: string, { later }: { readonly later: boolean }): ReadonlySet<string> {
  const chunks = new Map(
    drafted.flatMap((one) => (one.type === "chunk" ? [[one.fileName, one] as const] : [])),
  );
  const seen = new Set<string>();
  const modules = new Set<string>();
  const visit = (fileName: string): void => {
    const chunk = chunks.get(fileName);
    if (chunk === undefined || seen.has(fileName)) return;
    seen.add(fileName);
    for (const id of chunk.moduleIds) modules.add(id);
    for (const next of [...chunk.imports, ...(later ? chunk.dynamicImports : [])]) visit(next);
  };
  visit(`${entry}.js`);
  return modules;
}

const misplaced = output.flatMap((one) =>
  one.type === "chunk" && one.fileName.includes("/") && one.code.includes("import.meta") ? one.fileName : [],
);
if (misplaced.length > 0) {
  await rm(target, { recursive: true });
  throw new Error(`${misplaced.join(", ")} would look for files of the package in the wrong place.`);
}
