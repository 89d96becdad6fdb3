import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { programOf } from "../../packages/local-cluster/src/cluster/tool-programs.ts";
import type { Tool } from "../../src/tools/tool.ts";

/** Everything of the machine that a local cluster could leave something in, as sorted lines by kind. */
export type MachineSnapshot = Readonly<Record<string, readonly string[]>>;

/**
 * Lines that belong to local clusters in other state folders are left out: they may come and go meanwhile.
 * `mine` are the texts by which this test's own traces would be recognised.
 */
export function takeSnapshot(mine: readonly string[], containerd: Tool): MachineSnapshot {
  const others =
    /\bmsw-[0-9a-f]{8}\b|\bmodelswitch-[a-z0-9-]+-[0-9a-f]{8}\b|\/modelswitch\/clusters\/|\bcni-/;
  const keep = (line: string) =>
    line !== "" && (mine.some((text) => line.includes(text)) || !others.test(line));
  const run = (program: string, ...args: string[]) => {
    const output = execFileSync(program, args, {
      encoding: "utf8",
      env: { ...process.env, ...containerd.env },
    });
    return output.split("\n").filter(keep).sort();
  };
  const list = (folder: string) =>
    existsSync(folder) ? readdirSync(folder).filter(keep).sort() : ["absent"];
  const read = (path: string) => (existsSync(path) ? readFileSync(path, "utf8").trim() : "absent");
  const hierarchies = read("/proc/self/mountinfo")
    .split("\n")
    .filter((line) => / - cgroup2? /.test(line))
    .map((line) => line.split(" ")[4] ?? "");
  const folders = [
    "/run/netns",
    "/run/containerd",
    "/var/lib/kubelet",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/log/pods",
    "/var/log/containers",
    "/etc/cni",
    "/etc/kubernetes",
    "/opt",
    "/usr/libexec",
  ];
  const settings = [
    "/proc/sys/vm/overcommit_memory",
    "/proc/sys/vm/panic_on_oom",
    "/proc/sys/kernel/panic",
    "/proc/sys/kernel/panic_on_oops",
    "/proc/sys/kernel/keys/root_maxkeys",
    "/proc/sys/kernel/keys/root_maxbytes",
    "/proc/sys/net/ipv4/ip_forward",
    "/proc/sys/net/netfilter/nf_conntrack_max",
  ];
  return {
    links: run("ip", "-brief", "link").map((line) => line.split(/\s+/)[0] ?? ""),
    addresses: run("ip", "-brief", "-4", "address"),
    routes: run("ip", "-4", "route", "show", "table", "all"),
    mounts: read("/proc/self/mountinfo")
      .split("\n")
      .map((line) => line.split(" ").slice(3, 5).join(" "))
      .filter(keep)
      .sort(),
    packetFilter: run(programOf(containerd, "nft"), "list", "ruleset"),
    // The older kind of iptables, which nft does not show.
    oldPacketFilter: ["ip_tables_names", "ip6_tables_names"].map((file) => read(`/proc/net/${file}`)),
    cgroups: hierarchies.flatMap((folder) => list(folder).map((name) => `${folder}/${name}`)),
    ...Object.fromEntries(folders.map((folder) => [folder, list(folder)])),
    settings: settings.map((path) => `${path}=${read(path)}`),
    processes: processesWith(mine),
  };
}

/** What still refers to one of the namespaces, given by their inode numbers: a process in it, or a mount that keeps it. */
export function usersOfNamespaces(inodes: readonly number[]): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      for (const kind of ["net", "mnt"]) {
        if (inodes.includes(statSync(`/proc/${pid}/ns/${kind}`).ino)) found.push(`process ${pid} in ${kind}`);
      }
      const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8");
      for (const inode of inodes) {
        if (new RegExp(`(net|mnt):\\[${inode}\\]`).test(mounts)) found.push(`mount in process ${pid}`);
      }
    } catch {
      // It has ended.
    }
  }
  return found;
}

/** Command lines of the processes whose command line, environment or cgroup names one of the texts. */
function processesWith(texts: readonly string[]): string[] {
  const found: string[] = [];
  for (const pid of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    if (Number(pid) === process.pid) continue;
    try {
      const about = ["cmdline", "environ", "cgroup"].map((file) =>
        readFileSync(`/proc/${pid}/${file}`, "utf8"),
      );
      if (texts.some((text) => about.some((part) => part.includes(text)))) found.push(`${pid} ${about[0]}`);
    } catch {
      // It has ended.
    }
  }
  return found;
}
