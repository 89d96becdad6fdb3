import { chmod, cp, lstat, mkdir, readdir, readFile, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import {
  type Layout,
  requireSuccess,
  runProgram,
  type ToolContext,
  UserError,
  which,
} from "../../../../src/support.ts";
import { withOwnListsIfNeeded } from "./apt.ts";

/** A set of Debian packages that is unpacked into the cache and used from there. */
export interface DebianBundle {
  /** Always unpacked. What they depend on is unpacked where the system lacks it. */
  readonly packages: readonly string[];
  /** Dependencies that are not needed here. */
  readonly without?: readonly string[];
  /** Package whose version stands for the bundle's. */
  readonly versionOf: string;
  /**
   * Programs that start themselves anew with an empty environment: LD_LIBRARY_PATH does not reach these, so the place of
   * the libraries is written into the file.
   */
  readonly restartThemselves?: readonly string[];
  /** Programs by name: the file in the packages to link it to. */
  readonly programs: Readonly<Record<string, string>>;
  readonly folders?: Readonly<Record<string, string>>;
  /** Environment variables by name: a path in the packages. `*` stands for the processor's library folder. */
  readonly paths?: Readonly<Record<string, string>>;
}

/** `ID-VERSION_ID` of the system, for example `debian-12`: unpacked packages only fit the system they were made for. */
export async function systemRelease(): Promise<string> {
  const text = await readFile("/etc/os-release", "utf8").catch(() => "");
  const field = (name: string) => new RegExp(`^${name}="?([^"\\n]*)"?$`, "m").exec(text)?.[1] ?? "unknown";
  return `${field("ID")}-${field("VERSION_ID")}`.replace(/[^\w.-]/g, "_");
}

/** @throws UserError `program-missing` where no bundle can be had */
export async function requireDebian({ env }: Pick<ToolContext, "env">): Promise<void> {
  for (const program of ["apt-get", "dpkg-deb"]) {
    if ((await which(program, env, { system: true })) !== undefined) continue;
    throw new UserError({
      code: "program-missing",
      message: `${program} is not there: this is no Debian or Ubuntu.`,
    });
  }
}

/**
 * Downloads a bundle with the system's own apt, which verifies every package, and unpacks it into `folder`. Nothing is
 * installed and no package of the system is changed: installing Debian's containerd, for one, would remove Docker's.
 */
export async function obtainDebianBundle(
  bundle: DebianBundle,
  folder: string,
  context: ToolContext,
  destination: string,
): Promise<Layout> {
  await requireDebian(context);
  const archives = join(folder, "archives");
  const packages = await withOwnListsIfNeeded(context, async (apt) => {
    await rm(archives, { recursive: true, force: true });
    await mkdir(archives);
    const resolved = await apt.resolve(bundle.packages);
    const wanted = resolved.filter((one) => !bundle.without?.includes(one.name));
    if (bundle.restartThemselves !== undefined) wanted.push({ name: "patchelf", version: undefined });
    return apt.download(wanted, archives);
  });
  const root = join(folder, "root");
  await mkdir(root);
  for (const [index, file] of packages.files.entries()) {
    context.progress({
      detail: `unpacking ${file}`,
      progress: { done: index, total: packages.files.length, unit: "packages" },
    });
    requireSuccess(
      await runProgram("dpkg-deb", ["-x", join(archives, file), root], {
        env: context.env,
        signal: context.signal,
        timeoutMs: 5 * 60_000,
      }),
    );
  }
  await rm(archives, { recursive: true });
  await mergeUsr(root);
  await writeLibraryFolder(bundle, root, destination, context);
  await prune(root);
  return lay(bundle, folder, destination, packages.versions.get(bundle.versionOf) ?? "unknown");
}

/**
 * Moves what packages have in /bin, /sbin and /lib below /usr. On a system these are links to the folders there; which of
 * the two names a package uses differs between releases, and between the packages of one.
 */
export async function mergeUsr(root: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib"]) {
    const folder = join(root, name);
    const isFolder = await lstat(folder).then(
      (found) => found.isDirectory(),
      () => false,
    );
    if (!isFolder) continue;
    await cp(folder, join(root, "usr", name), { recursive: true, verbatimSymlinks: true });
    await rm(folder, { recursive: true });
  }
}

async function writeLibraryFolder(
  bundle: DebianBundle,
  root: string,
  destination: string,
  context: ToolContext,
): Promise<void> {
  const libraries = await libraryFolder(root);
  for (const file of bundle.restartThemselves ?? []) {
    if (libraries === undefined) continue;
    const result = await runProgram(
      join(root, "usr/bin/patchelf"),
      // Absolute, since such programs run from a copy in memory. The old kind of entry (rpath) also holds for the
      // libraries of libraries.
      ["--force-rpath", "--set-rpath", join(destination, "root/usr/lib", libraries), join(root, file)],
      { env: context.env, signal: context.signal, timeoutMs: 60_000 },
    );
    requireSuccess(result, `Writing the library folder into ${file}`);
  }
  await rm(join(root, "usr/bin/patchelf"), { force: true });
}

/** Documentation takes time to hash and is never read here. */
async function prune(root: string): Promise<void> {
  for (const folder of [
    "doc",
    "man",
    "locale",
    "lintian",
    "bash-completion",
    "zsh",
    "fish",
    "doc-base",
    "bug",
  ]) {
    await rm(join(root, "usr", "share", folder), { recursive: true, force: true });
  }
}

async function lay(
  bundle: DebianBundle,
  folder: string,
  destination: string,
  version: string,
): Promise<Layout> {
  // A folder of links: PATH then holds exactly the programs asked for, under their own names.
  await mkdir(join(folder, "bin"));
  const programs: Record<string, string> = {};
  for (const [name, file] of Object.entries(bundle.programs)) {
    await chmod(join(folder, "root", file), 0o755);
    await symlink(join("..", "root", file), join(folder, "bin", name));
    programs[name] = join("bin", name);
  }
  const libraries = await libraryFolder(join(folder, "root"));
  const inRoot = (path: string) => join("root", path.replace("*", libraries ?? "*"));
  const perlFolders = await foldersOfPerl(join(folder, "root"), libraries);
  const mapped = (entries: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.entries(entries).map(([key, path]) => [key, inRoot(path)]));
  return {
    version,
    ...(bundle.restartThemselves === undefined ? {} : { onlyIn: destination }),
    programs,
    folders: mapped(bundle.folders),
    paths: mapped(bundle.paths),
    prepend: {
      PATH: ["bin"],
      ...(libraries === undefined ? {} : { LD_LIBRARY_PATH: [inRoot(join("usr/lib", libraries))] }),
      ...(perlFolders.length === 0 ? {} : { PERL5LIB: perlFolders.map((path) => join("root", path)) }),
    },
  };
}

/** The processor's folder below /usr/lib, for example `x86_64-linux-gnu`, if any package put libraries there. */
async function libraryFolder(root: string): Promise<string | undefined> {
  const names = await readdir(join(root, "usr", "lib")).catch(() => []);
  return names.find((name) => name.includes("-linux-gnu"));
}

/** Where Perl's modules are, if they were unpacked because the system has no more of Perl than its base. */
async function foldersOfPerl(root: string, libraries: string | undefined): Promise<string[]> {
  const parents = [
    "usr/share/perl",
    ...(libraries === undefined ? [] : [join("usr/lib", libraries, "perl")]),
  ];
  const found = await Promise.all(
    parents.map(async (parent) => {
      const versions = await readdir(join(root, parent), { withFileTypes: true }).catch(() => []);
      return versions.filter((entry) => entry.isDirectory()).map((entry) => join(parent, entry.name));
    }),
  );
  return found.flat();
}
