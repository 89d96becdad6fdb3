import {
  type ProgramResult,
  type RunProgramOptions,
  requireSuccess,
  runProgram,
  UserError,
} from "../../../../src/support.ts";
import {
  type ClusterAddresses,
  chooseAddresses,
  type HostRoute,
  linkNames,
  takenByRoutes,
} from "./addresses.ts";
import type { IpProgram } from "./host.ts";
import { namespacePaths } from "./namespaces.ts";
import type { ClusterFolders } from "./state-folder.ts";

/** Chooses addresses that no route of the host and no other cluster uses. */
export async function findFreeAddresses(
  ip: IpProgram,
  takenByClusters: readonly string[],
  signal: AbortSignal,
): Promise<ClusterAddresses> {
  const shown = requireSuccess(
    await runIp(ip, ["-json", "-4", "route", "show", "table", "all"], signal),
    "Reading the host's routes",
  );
  const routes = JSON.parse(shown.stdout || "[]") as HostRoute[];
  const addresses = chooseAddresses([...takenByRoutes(routes), ...takenByClusters]);
  if (addresses === undefined) {
    throw new UserError({
      code: "no-free-addresses",
      message: "Every address range that a local cluster could use is covered by a route of this machine.",
      hint: "Remove local clusters that are not needed (`modelswitch cluster status` lists them), or name another cluster with --context or --kubeconfig.",
    });
  }
  return addresses;
}

const nodeCommands = `set -e
ip=$1 link=$2 node=$3 prefix=$4 services=$5 host=$6
"$ip" link set lo up
"$ip" address replace "$node/$prefix" dev "$link"
"$ip" link set "$link" up
"$ip" route replace "$services" via "$host"
echo 1 > /proc/sys/net/ipv4/ip_forward`;

/**
 * Links the node's network namespace to the host, idempotently: one link, and a route to the pods.
 * There is no route to other networks: a missing image fails at once instead of after a time-out.
 */
export async function linkNode(
  folders: ClusterFolders,
  addresses: ClusterAddresses,
  programs: { readonly ip: IpProgram; readonly nsenter: string },
  signal: AbortSignal,
): Promise<void> {
  const names = linkNames(folders.folder);
  const { net } = namespacePaths(folders);
  const doing = "Linking the node to the host";
  const run = async (args: readonly string[]) =>
    requireSuccess(await runIp(programs.ip, args, signal), doing);
  if (!(await hasLink(programs.ip, names.host))) {
    await run(["link", "add", names.host, "type", "veth", "peer", "name", names.node]);
    await run(["link", "set", names.node, "netns", net]);
  }
  await run(["address", "replace", `${addresses.host}/${addresses.linkPrefix}`, "dev", names.host]);
  await run(["link", "set", names.host, "up"]);
  // The link in the namespace must be up before the host can route over it.
  const { path } = programs.ip;
  const { node, linkPrefix, serviceRange, host } = addresses;
  const inNode = [
    "sh",
    "-c",
    nodeCommands,
    "sh",
    path,
    names.node,
    node,
    String(linkPrefix),
    serviceRange,
    host,
  ];
  requireSuccess(
    await runProgram(programs.nsenter, [`--net=${net}`, "--", ...inNode], optionsOf(programs.ip, signal)),
    doing,
  );
  await run(["route", "replace", addresses.podRange, "via", addresses.node, "dev", names.host]);
}

/** Whether the link is there and its other end is in the cluster's namespace. */
export async function isLinked(
  folders: ClusterFolders,
  programs: { readonly ip: IpProgram; readonly nsenter: string },
): Promise<boolean> {
  const names = linkNames(folders.folder);
  if (!(await hasLink(programs.ip, names.host))) return false;
  const { net } = namespacePaths(folders);
  const { path } = programs.ip;
  const shown = await runProgram(
    programs.nsenter,
    [`--net=${net}`, "--", path, "link", "show", names.node],
    optionsOf(programs.ip),
  );
  return shown.exitCode === 0;
}

/** Removes the link; its routes go with it. */
export async function unlinkNode(folders: ClusterFolders, ip: IpProgram): Promise<void> {
  const { host } = linkNames(folders.folder);
  // The other end may go at any moment with its namespace, and takes this one along.
  for (let attempt = 1; await hasLink(ip, host); attempt++) {
    const removed = await runIp(ip, ["link", "delete", host]);
    if (removed.exitCode !== 0 && attempt >= 3) requireSuccess(removed, "Removing the link to the node");
  }
}

async function hasLink(ip: IpProgram, name: string): Promise<boolean> {
  return (await runIp(ip, ["link", "show", name])).exitCode === 0;
}

function runIp(ip: IpProgram, args: readonly string[], signal?: AbortSignal): Promise<ProgramResult> {
  return runProgram(ip.path, args, optionsOf(ip, signal));
}

function optionsOf(ip: IpProgram, signal?: AbortSignal): RunProgramOptions {
  return {
    env: { ...process.env, ...ip.env },
    timeoutMs: 30_000,
    ...(signal === undefined ? {} : { signal }),
  };
}
