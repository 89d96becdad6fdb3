/**
 * Builds `packages/local-cluster/dist`: `node scripts/build-local-cluster.ts`. What it uses of modelswitch stays there: the sources import
 * `src/support.ts`, what is published imports `modelswitch/support`.
 */
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const root = join(import.meta.dirname, "..");
const folder = join(root, "packages", "local-cluster");
const [built, dist] = [join(folder, "build"), join(folder, "dist")];
const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");

for (const old of [built, dist]) rmSync(old, { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [compiler, "-p", join(folder, "tsconfig.build.json")], {
  stdio: "inherit",
});
if (status !== 0) process.exit(status ?? 1);
cpSync(join(built, "packages", "local-cluster", "src"), dist, { recursive: true });
rmSync(built, { recursive: true });
for (const file of readdirSync(dist, { recursive: true, encoding: "utf8" })) {
  if (!/\.[jt]s$/.test(file)) continue;
  const path = join(dist, file);
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace(/"(?:\.\.\/)+src\/support\.[jt]s"/g, '"modelswitch/support"'));
}
