import { type ComponentName, step } from "../../../../src/support.ts";
import { checkSum } from "./addresses.ts";
import { createCgroups } from "./cgroups.ts";
import {
  type ClusterPorts,
  type ClusterRecord,
  cgroupPath,
  clusterNames,
  portsOnOwnAddress,
  readRecord,
  takenBlocks,
  writeRecord,
} from "./cluster-state.ts";
import { removeRemains } from "./down.ts";
import type { IpProgram } from "./host.ts";
import { lockName } from "./lock.ts";
import { createNamespaces, namespaceInodes, namespacesReady } from "./namespaces.ts";
import { findFreeAddresses, isLinked, linkNode, unlinkNode } from "./network.ts";
import { findFreePort } from "./ports.ts";
import { isAlive, processesOf } from "./process-table.ts";
import { readComponent, stopProcesses } from "./processes.ts";
import type { ClusterRun, ClusterShape } from "./run.ts";
import { type ClusterFolders, clusterFolders } from "./state-folder.ts";

/** Where each port is looked for first. Ranges of 500 keep them apart; the name moves the start, so clusters differ. */
const firstPorts: ClusterPorts = {
  ingress: 8080,
  ingressTls: 9080,
  ingressAdministration: 10_080,
  etcdClient: 12_379,
  etcdPeer: 13_379,
  apiServer: 6443,
  metrics: 4443,
};

const portOwners: Readonly<Record<keyof ClusterPorts, ComponentName>> = {
  ingress: "traefik",
  ingressTls: "traefik",
  ingressAdministration: "traefik",
  etcdClient: "etcd",
  etcdPeer: "etcd",
  apiServer: "kube-apiserver",
  metrics: "metrics-server",
};

export interface Prepared {
  readonly ip: IpProgram;
  readonly record: ClusterRecord;
  /** To be called when the network is there, and others can see in the host's routes which addresses are taken. */
  readonly release: () => void;
}

/** Reads the cluster's record, or chooses its addresses and writes one. */
export async function prepareRecord(
  run: ClusterRun,
  shape: ClusterShape,
  ipOfTool: () => Promise<IpProgram>,
): Promise<Prepared> {
  const ip = run.programs.ip ?? (await ipOfTool());
  // Two clusters that start at the same moment must not choose the same addresses.
  const lock = await lockName("modelswitch-addresses", {
    doing: "choosing addresses",
    clock: run.clock,
    signal: run.signal,
    onWait: () => undefined,
  });
  try {
    const existing = readRecord(run.folders);
    if (existing === undefined) await removeRemains(run);
    const addresses =
      existing?.addresses ?? (await findFreeAddresses(ip, takenBlocks(run.stateFolder), run.signal));
    const base: ClusterRecord = existing ?? {
      schemaVersion: 1,
      name: run.name,
      addresses,
      ports: shiftedPorts(run.folders, run.name),
    };
    const record = { ...base, ...shape, ports: await settlePorts(run, base) };
    writeRecord(run.folders, record);
    return { ip, record, release: () => lock.release() };
  } catch (error) {
    lock.release();
    throw error;
  }
}

const isOwn = (key: string): boolean => portsOnOwnAddress.some((own) => own === key);

function shiftedPorts(folders: ClusterFolders, name: string): ClusterPorts {
  const shift = name === "default" ? 0 : 1 + (Number.parseInt(checkSum(folders.folder), 16) % 400);
  const shifted = Object.entries(firstPorts).map(([key, port]) => [key, isOwn(key) ? port : port + shift]);
  return Object.fromEntries(shifted) as ClusterPorts;
}

/** The recorded ports, except those of stopped components that something else listens on by now. */
async function settlePorts(run: ClusterRun, record: ClusterRecord): Promise<ClusterPorts> {
  const taken = new Set(
    clusterNames(run.stateFolder)
      .filter((name) => name !== run.name)
      .flatMap((name) => {
        try {
          const ports = readRecord(clusterFolders(run.stateFolder, name))?.ports;
          return Object.entries(ports ?? {}).flatMap(([key, port]) => (isOwn(key) ? [] : [port]));
        } catch {
          return [];
        }
      }),
  );
  const settled: Partial<Record<keyof ClusterPorts, number>> = {};
  for (const key of Object.keys(firstPorts) as (keyof ClusterPorts)[]) {
    const owner = readComponent(run.folders, portOwners[key]);
    const runs = owner !== undefined && isAlive(owner);
    const address = isOwn(key) ? record.addresses.host : "127.0.0.1";
    // A record of an older version does not have all of them.
    const port: number | undefined = record.ports[key];
    settled[key] =
      runs && port !== undefined ? port : await findFreePort(address, port ?? firstPorts[key], taken);
  }
  return { ...record.ports, ...settled };
}

/** Cgroups, namespaces and the link between node and host: what is missing of them. */
export async function prepareNetwork(run: ClusterRun, record: ClusterRecord, ip: IpProgram): Promise<void> {
  await step(run.events, { id: "cluster.network", parent: "cluster", title: "Network" }, async () => {
    const { folders, signal } = run;
    const programs = { ...run.programs, ip };
    const cgroup = cgroupPath(folders, run.name);
    createCgroups(cgroup);
    if (!namespacesReady(folders)) {
      // What runs in an incomplete or vanished namespace is cut off from the rest: it starts anew.
      await stopProcesses(nodeProcesses(folders, cgroup), run.clock, { politeMs: 0 });
      await createNamespaces(folders, programs, signal);
    }
    if (!(await isLinked(folders, programs))) await unlinkNode(folders, ip);
    await linkNode(folders, record.addresses, programs, signal);
  });
}

function nodeProcesses(folders: ClusterFolders, cgroup: string) {
  const hostComponents: readonly ComponentName[] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "traefik",
    "metrics-server",
    "local-path-provisioner",
  ];
  const kept = hostComponents.map((name) => readComponent(folders, name)?.pid);
  const all = processesOf({ clusterFolder: folders.folder, namespaces: namespaceInodes(folders), cgroup });
  return all.filter(({ pid }) => !kept.includes(pid));
}
