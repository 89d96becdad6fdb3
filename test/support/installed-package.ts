import { cp, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "../../src/tools/run-program.ts";

const repository = join(import.meta.dirname, "..", "..");

export interface InstalledPackage {
  /** What `npx modelswitch` would run. */
  readonly program: string;
  remove(): Promise<void>;
}

/**
 * The package as `npm install` leaves it, built from this checkout: what users run. Libraries are this checkout's; `packages.test.ts` installs
 * an archive with those that npm brings.
 */
export async function installPackage(): Promise<InstalledPackage> {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-installed-"));
  const modules = join(folder, "node_modules");
  const own = join(modules, "modelswitch");
  await mkdir(own, { recursive: true });
  const built = runProgram(process.execPath, [join(repository, "scripts", "bundle.ts"), join(own, "dist")], {
    cwd: repository,
    timeoutMs: 120_000,
  });
  const copied = ["bin", "docs", "go", "package.json"].map((name) =>
    cp(join(repository, name), join(own, name), { recursive: true }),
  );
  const libraries = (await readdir(join(repository, "node_modules"))).filter(
    (name) => !name.startsWith(".") && name !== "modelswitch",
  );
  const linked = libraries.map((name) =>
    symlink(join(repository, "node_modules", name), join(modules, name)),
  );
  await Promise.all([built, ...copied, ...linked]);
  return {
    program: join(own, "bin", "modelswitch.js"),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
