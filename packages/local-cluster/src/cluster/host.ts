import { accessSync, constants, readFileSync } from "node:fs";
import { join } from "node:path";
import { exitCodes, UserError } from "../../../../src/support.ts";
import { systemFolders } from "./containerd.ts";

/** The program `ip` of iproute2. */
export interface IpProgram {
  readonly path: string;
  /** What it needs beside the environment of this process: the libraries that came with it. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Programs of the system that a cluster is set up with. */
export interface HostPrograms {
  /** `undefined` when it is not installed: it can come with a tool. */
  readonly ip: IpProgram | undefined;
  readonly nsenter: string;
  readonly unshare: string;
  readonly mount: string;
  readonly umount: string;
}

const alternatives =
  "Or use any cluster you have: name it with --context or --kubeconfig; kind, k3d and minikube make one on most machines.";

/** What must be true of this machine, gathered so that the check itself is pure. */
export interface HostFacts {
  readonly platform: string;
  readonly userId: number | undefined;
  /** Effective capabilities, hexadecimal, as in /proc/self/status. */
  readonly capabilities: string;
  readonly fileSystems: readonly string[];
}

const neededCapabilities: Readonly<Record<string, bigint>> = {
  CAP_NET_ADMIN: 12n,
  CAP_SYS_CHROOT: 18n,
  CAP_SYS_ADMIN: 21n,
};

/** @throws UserError saying what is missing and what to use instead */
export function checkHost(facts: HostFacts): void {
  const refuse = (code: string, message: string, hint: string) =>
    new UserError({ code, message, hint: `${hint} ${alternatives}`, exitCode: exitCodes.usage });
  if (facts.platform !== "linux") {
    throw refuse(
      "platform-unsupported",
      `The local cluster runs Kubernetes directly on Linux; this is ${facts.platform}.`,
      "Run the command on a Linux machine or in a Linux virtual machine.",
    );
  }
  if (facts.userId !== 0) {
    throw refuse(
      "root-needed",
      "The local cluster needs root: it makes network namespaces, mounts and cgroups.",
      "Run the command with sudo (sudo -E keeps your environment).",
    );
  }
  const missing = Object.entries(neededCapabilities)
    .filter(([, bit]) => (BigInt(`0x${facts.capabilities}`) & (1n << bit)) === 0n)
    .map(([name]) => name);
  if (missing.length > 0) {
    throw refuse(
      "capabilities-missing",
      `The local cluster needs ${missing.join(", ")}, which this process does not have (it probably runs in an unprivileged container).`,
      "Start the container with --privileged.",
    );
  }
  if (!facts.fileSystems.some((type) => type === "cgroup" || type === "cgroup2")) {
    throw refuse("cgroups-unavailable", "This kernel has no cgroups.", "Use a kernel with cgroups.");
  }
}

export function readHostFacts(): HostFacts {
  const read = (path: string) => {
    try {
      return readFileSync(path, "utf8");
    } catch {
      return "";
    }
  };
  const capabilities = /^CapEff:\s+([0-9a-f]+)$/m.exec(read("/proc/self/status"))?.[1] ?? "0";
  return {
    platform: process.platform,
    userId: process.getuid?.(),
    capabilities,
    fileSystems: read("/proc/filesystems")
      .split("\n")
      .map((line) => line.trim().split(/\s+/).at(-1) ?? ""),
  };
}

const packages: Readonly<Record<string, string>> = {
  nsenter: "util-linux",
  unshare: "util-linux",
  mount: "mount",
  umount: "mount",
};

/** @throws UserError `program-missing` naming the program and its Debian package */
export function findHostPrograms(env: Readonly<Record<string, string | undefined>>): HostPrograms {
  const folders = [
    ...(env.PATH ?? "").split(":").filter((folder) => folder.startsWith("/")),
    ...systemFolders,
  ];
  const find = (name: string) => folders.map((folder) => join(folder, name)).find(isExecutable);
  const need = (name: string) => {
    const path = find(name);
    if (path !== undefined) return path;
    throw new UserError({
      code: "program-missing",
      message: `The program ${name} was not found; the local cluster is set up with it.`,
      hint: `Install it (apt-get install ${packages[name]}). ${alternatives}`,
      exitCode: exitCodes.usage,
    });
  };
  const ip = find("ip");
  return {
    ip: ip === undefined ? undefined : { path: ip },
    nsenter: need("nsenter"),
    unshare: need("unshare"),
    mount: need("mount"),
    umount: need("umount"),
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
