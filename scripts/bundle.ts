/**
 * Writes the package's JavaScript into `dist`, or into the folder named: few files instead of hundreds, since loading each of them is a good part of the time that a command
 * takes. Libraries stay what npm installs, so that their updates reach users without ours, and Pulumi's must be one with the program's.
 */
import { rm } from "node:fs/promises";
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

const bundle = await rolldown({
  input: {
    process: join(source, "cli", "process.ts"),
    index: join(source, "index.ts"),
    support: join(source, "support.ts"),
    // Loaded by its address, in place of the package, by configuration files.
    "config/file/light": join(source, "config", "file", "light.ts"),
  },
  platform: "node",
  external: (id) => !id.startsWith(".") && !id.startsWith(source),
  plugins: [
    {
      name: "place",
      transform: (code, file) =>
        file.startsWith(source) && code.includes("import.meta") ? placeOf(code, file) : null,
    },
  ],
  onLog: (level, log, handler) => {
    // That a module is loaded early somewhere and late elsewhere is meant: each command loads what it needs.
    if (log.code !== "INEFFECTIVE_DYNAMIC_IMPORT") handler(level, log);
  },
});
const { output } = await bundle.write({
  dir: target,
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name]-[hash].js",
});
await bundle.close();

const misplaced = output.flatMap((one) =>
  one.type === "chunk" && one.fileName.includes("/") && one.code.includes("import.meta") ? one.fileName : [],
);
if (misplaced.length > 0) {
  await rm(target, { recursive: true });
  throw new Error(`${misplaced.join(", ")} would look for files of the package in the wrong place.`);
}
