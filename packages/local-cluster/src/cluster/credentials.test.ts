import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { componentNames, type Tool } from "../../../../src/support.ts";
import { dnsSpec, metricsServerSpec, provisionerSpec } from "./addons.ts";
import { chooseAddresses } from "./addresses.ts";
import type { ClusterRecord } from "./cluster-state.ts";
import { apiServerSpec, controllerManagerSpec, etcdSpec, schedulerSpec } from "./control-plane.ts";
import { prepareCredentials } from "./credentials.ts";
import { traefikSpec } from "./ingress.ts";
import { digestOf } from "./processes.ts";
import { clusterFolders } from "./state-folder.ts";

const state = mkdtempSync(join(tmpdir(), "modelswitch-credentials-"));
afterAll(() => rmSync(state, { recursive: true, force: true }));

const addresses = chooseAddresses([]);
if (addresses === undefined) throw new Error("there should be some");
const record: ClusterRecord = {
  schemaVersion: 1,
  name: "unit",
  addresses,
  ports: {
    apiServer: 1,
    etcdClient: 2,
    etcdPeer: 3,
    ingress: 4,
    ingressTls: 5,
    ingressAdministration: 6,
    metrics: 7,
  },
};
const folders = clusterFolders(state, "unit");
const credentials = await prepareCredentials(folders, record, new Date());

const names = componentNames;
const tool: Tool = {
  name: "kubernetes",
  version: "v1",
  origin: "cache",
  programs: Object.fromEntries(names.map((name) => [name, `/tools/${name}`])),
  env: {},
  folders: {},
};
const context = { folders, record, credentials };
const server = { pid: 1, startTime: "1", bootId: "1" };
const specs = [
  etcdSpec(tool, context),
  apiServerSpec(tool, context),
  controllerManagerSpec(tool, context, server),
  schedulerSpec(tool, context, server),
  traefikSpec(tool, record, credentials),
  metricsServerSpec(tool, context),
  provisionerSpec(tool, context),
  dnsSpec(tool, context, "nsenter"),
];

describe("credentials", () => {
  it("are readable by their owner alone", () => {
    for (const file of readdirSync(folders.certificates)) {
      expect(statSync(join(folders.certificates, file)).mode & 0o777, file).toBe(0o600);
    }
    expect(statSync(folders.kubeconfig).mode & 0o777).toBe(0o600);
  });

  it("stay the same when the cluster is repaired, except for addresses that changed", async () => {
    const before = parse(readFileSync(folders.kubeconfig, "utf8"));
    await prepareCredentials(folders, { ...record, ports: { ...record.ports, apiServer: 7 } }, new Date());
    const after = parse(readFileSync(folders.kubeconfig, "utf8"));
    expect(after.users).toEqual(before.users);
    expect(before.clusters[0].cluster.server).toBe("https://10.199.9.1:1");
    expect(after.clusters[0].cluster.server).toBe("https://10.199.9.1:7");
  });
});

describe("components", () => {
  it("that answer queries of pods listen in the node alone", () => {
    const dns = specs.find(({ name }) => name === "coredns");
    expect(dns?.configuration.join()).toContain("bind 10.199.9.2\n");
    expect(dns?.through?.[0]).toBe("nsenter");
  });

  it("listen on loopback or on the host's end of the link, nowhere else", () => {
    const listening = specs.flatMap((spec) =>
      spec.arguments.filter((argument) => /address=|listen-.*urls=/.test(argument)),
    );
    expect(listening.length).toBeGreaterThan(5);
    for (const argument of listening) expect(argument).toMatch(/127\.0\.0\.1|10\.199\.9\.1/);
  });

  it("have no secrets on their command lines", () => {
    const lines = specs.flatMap((spec) => [spec.program, ...spec.arguments]).join("\n");
    expect(lines).not.toMatch(/-----BEGIN|password|token=/i);
  });

  it("are started anew when their arguments or configuration change", () => {
    const [spec] = specs;
    if (spec === undefined) throw new Error("there is one");
    expect(digestOf(spec)).toBe(digestOf({ ...spec }));
    expect(digestOf({ ...spec, arguments: [...spec.arguments, "--more"] })).not.toBe(digestOf(spec));
    expect(digestOf({ ...spec, configuration: ["changed"] })).not.toBe(digestOf(spec));
  });
});
