import { cpSync, readdirSync, readFileSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { componentNames } from "../../src/core/local-cluster.ts";
import { kubeconfigOf } from "../support/kubeconfig.ts";
import { modelswitch, repository } from "./cli-process.ts";
import { ModelProject } from "./model-project.ts";
import {
  addressOf,
  isLoopback,
  listeningAddresses,
  ProcessWatch,
  type SeenProcess,
} from "./process-watch.ts";
import { RestrictedAccount } from "./restricted-account.ts";
import { type TestNamespace, testImages, until } from "./test-cluster.ts";

const passphrase = "canary passphrase 5d1f3c";
/** A variable of the model's pods that should have been a Secret. */
const apiToken = "canary variable 91ab77";

let project: ModelProject;
let account: RestrictedAccount;
let kubeconfig: string;
/** All that a command wrote for people and programs. */
const output: string[] = [];

beforeAll(async () => {
  project = await ModelProject.create("secrets");
  account = await RestrictedAccount.create(project.namespace, "ci");
  await account.allow({ model: "fraud", anyName: true, withOptional: true });
  const admin = parse(readFileSync(project.namespace.kubeconfigPath, "utf8")) as {
    clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
  };
  const cluster = admin.clusters[0]?.cluster;
  if (cluster === undefined) throw new Error("The test cluster's kubeconfig names no cluster.");
  kubeconfig = await account.kubeconfig(cluster.server, cluster["certificate-authority-data"]);
  await account.until(true, "get", { group: "", resource: "pods/proxy" });
});

afterAll(() => project.remove());

interface Watched {
  readonly processes: readonly SeenProcess[];
  readonly descendants: readonly SeenProcess[];
  readonly listened: ReadonlySet<string>;
}

/** Runs a command and looks at its processes all the while. */
async function watched(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>> = {},
  expected = 0,
): Promise<Watched> {
  let watch: ProcessWatch | undefined;
  const result = await project.command(args, {
    env: { KUBECONFIG: kubeconfig, PULUMI_CONFIG_PASSPHRASE: passphrase, ...env },
    onStart: (child) => {
      if (child.pid !== undefined) watch = new ProcessWatch(child.pid);
    },
  });
  watch?.stop();
  output.push(result.stdout, result.stderr);
  expect(result, `${args.join(" ")}:\n${result.stderr}${result.stdout}`).toMatchObject({
    exitCode: expected,
  });
  if (watch === undefined) throw new Error("The command was not started.");
  return { processes: [...watch.seen.values()], descendants: watch.descendants, listened: watch.listened };
}

const secrets = () => ({ token: account.token, passphrase, apiToken });

/** Names of the secrets that stand in a text; never the text, which a report of a failure would show. */
const secretsIn = (text: string) =>
  Object.entries(secrets())
    .filter(([, value]) => text.includes(value) || text.includes(Buffer.from(value).toString("base64")))
    .map(([name]) => name);

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file, { throwIfNoEntry: false })?.isFile() === true);
}

/** A kubeconfig of a cluster that nobody reaches. */
async function elsewhere(): Promise<string> {
  const file = join(project.namespace.folder, "elsewhere");
  await writeFile(file, kubeconfigOf("https://127.0.0.1:1"), { mode: 0o600 });
  return file;
}

/** Refuses Deployments of a namespace, and quotes their first variable, as some policies do. */
async function quotingPolicy({ api, name }: TestNamespace): Promise<{ remove(): Promise<void> }> {
  const admission = "/apis/admissionregistration.k8s.io/v1";
  const create = (plural: string, kind: string, spec: object) =>
    api.json({
      method: "POST",
      path: `${admission}/${plural}`,
      body: { apiVersion: "admissionregistration.k8s.io/v1", kind, metadata: { name }, spec },
    });
  const rule = {
    apiGroups: ["apps"],
    apiVersions: ["v1"],
    operations: ["UPDATE"],
    resources: ["deployments"],
  };
  const first = "object.spec.template.spec.containers[0].env[0].value";
  await create("validatingadmissionpolicies", "ValidatingAdmissionPolicy", {
    matchConstraints: {
      namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
      resourceRules: [rule],
    },
    validations: [
      {
        expression: "!has(object.spec.template.spec.containers[0].env)",
        messageExpression: `'quoted by a policy: ' + ${first}`,
      },
    ],
  });
  await create("validatingadmissionpolicybindings", "ValidatingAdmissionPolicyBinding", {
    policyName: name,
    validationActions: ["Deny"],
  });
  await until("the policy is in force", async () => {
    const { status } = await api.request({
      method: "PATCH",
      path: `/apis/apps/v1/namespaces/${name}/deployments/fraud-blue`,
      query: { dryRun: "All" },
      contentType: "application/strategic-merge-patch+json",
      body: {
        spec: { template: { spec: { containers: [{ name: "model", env: [{ name: "A", value: "b" }] }] } } },
      },
    });
    return status === 422;
  });
  return {
    remove: async () => {
      for (const plural of ["validatingadmissionpolicybindings", "validatingadmissionpolicies"])
        await api.request({ method: "DELETE", path: `${admission}/${plural}/${name}` });
    },
  };
}

/** A state that is encrypted with the user's passphrase. */
const inFolder = { pulumi: { backend: "file://./.modelswitch/state" } };

const slot = (image: string) => ({ image, replicas: 1, imagePullPolicy: "Never" });

describe.runIf(process.platform === "linux")("tokens and passphrases", () => {
  test("stand in no command line, and in the environment of no other process", async () => {
    await project.configure({
      ...inFolder,
      slots: { blue: slot(testImages.blue), green: slot(testImages.green) },
    });
    const up = await watched(["up", "--debug"]);
    const json = await watched(["switch", "green", "--json", "--debug"]);
    for (const { processes, descendants } of [up, json]) {
      // The Pulumi CLI was seen at work.
      expect(descendants.some(({ commandLine }) => /pulumi\S* (up|preview)\b/.test(commandLine))).toBe(true);
      expect(processes.flatMap(({ commandLine }) => secretsIn(commandLine))).toEqual([]);
      expect(descendants.flatMap(({ environment }) => secretsIn(environment))).toEqual([]);
    }
    // What listens for the Pulumi CLI, and the CLI for its program, is on loopback.
    const listened = [...up.listened, ...json.listened];
    expect(listened.length).toBeGreaterThan(0);
    expect(listened.filter((address) => !isLoopback(address))).toEqual([]);
  });

  test("are read from a file where one is named, and go no further", async () => {
    const file = join(project.namespace.folder, "passphrase");
    await writeFile(file, `${passphrase}\n`, { mode: 0o600 });
    const { processes } = await watched(["up"], {
      PULUMI_CONFIG_PASSPHRASE: undefined,
      PULUMI_CONFIG_PASSPHRASE_FILE: file,
    });
    expect(processes.flatMap(({ commandLine, environment }) => secretsIn(commandLine + environment))).toEqual(
      [],
    );
  });

  test("do not leave a kubeconfig that a program is given as contents", async () => {
    const folder = join(project.folder, "seed");
    cpSync(join(repository, "examples", "seed"), folder, {
      recursive: true,
      filter: (name) => !name.includes("node_modules") && !name.includes(".modelswitch"),
    });
    // As users write it: in the program's own settings, which are the user's.
    const settings = join(folder, "Pulumi.dev.yaml");
    const config = {
      "kubernetes:kubeconfig": readFileSync(kubeconfig, "utf8"),
      "kubernetes:namespace": project.namespace.name,
      "seed:host": project.host,
    };
    await writeFile(settings, stringify({ config }), { mode: 0o600 });
    // The program's own kubeconfig is the one that counts.
    const decoy = await elsewhere();
    const run = await watched(["run", folder, "--preview", "--debug"], { KUBECONFIG: decoy });
    expect(run.processes.flatMap(({ commandLine }) => secretsIn(commandLine))).toEqual([]);
    // The provider uses it: the engine gives each of its plug-ins the program's settings, in an environment that only this user can read.
    const others = run.descendants.filter(({ commandLine }) => !commandLine.includes("pulumi-resource-"));
    expect(others.flatMap(({ environment }) => secretsIn(environment))).toEqual([]);
  });

  test("of a model's variables are in no plan, and in no refusal that quotes them", async () => {
    const blue = { ...slot(testImages.blue), env: { API_TOKEN: apiToken } };
    const settings = { ...inFolder, slots: { blue, green: slot(testImages.green) } };
    await project.configure(settings);
    const warningOnly = () => project.configure({ ...settings, rollout: { capacity: "warn" } });
    await watched(["plan", "--debug"]);
    await watched(["plan", "--json"]);
    const policy = await quotingPolicy(project.namespace);
    try {
      await watched(["up", "--allow-live-change", "--debug"], {}, 2);
      // By Pulumi's provider, too.
      await warningOnly();
      await watched(["up", "--allow-live-change", "--debug"], {}, 1);
      await watched(["up", "--allow-live-change", "--json"], {}, 1);
    } finally {
      await policy.remove();
    }
    expect(output.join("\n")).toContain("quoted by a policy: [hidden]");
    expect(output.flatMap(secretsIn)).toEqual([]);
  });

  test("are in no message and in no error, also with --debug", async () => {
    await watched(["status", "--debug", "--json"]);
    await watched(["doctor", "--debug"]);
    await watched(["up", "--debug"], { PULUMI_CONFIG_PASSPHRASE: "another" }, 2);
    const broken = join(project.namespace.folder, "broken");
    await writeFile(broken, `users:\n- name: u\n  user:\n    token: ${account.token}\n   more: x\n`, {
      mode: 0o600,
    });
    await watched(["status", "--debug"], { KUBECONFIG: broken }, 2);
    await watched(["destroy", "--yes", "--debug"]);
    expect(output.join("\n").length).toBeGreaterThan(1000);
    expect(output.flatMap(secretsIn)).toEqual([]);
  });

  test("are in no file that is left behind, and what is left is this user's", () => {
    const folder = join(project.folder, ".modelswitch");
    const files = filesBelow(folder);
    expect(files.some((file) => file.endsWith(".json"))).toBe(true);
    // A variable is in the state as it is in the Deployment: docs/security.md says where secrets belong.
    const credentials = (file: string) =>
      secretsIn(readFileSync(file, "utf8")).filter((secret) => secret !== "apiToken");
    expect(files.filter((file) => credentials(file).length > 0)).toEqual([]);
    expect((statSync(folder).mode & 0o077).toString(8)).toBe("0");
  });
});

describe.runIf(process.platform === "linux")("the key of a state in the cluster", () => {
  test("stands in no command line, environment, message or file of a machine", async () => {
    const admin = { KUBECONFIG: project.namespace.kubeconfigPath, PULUMI_CONFIG_PASSPHRASE: undefined };
    await project.configure({ slots: { blue: slot(testImages.blue), green: slot(testImages.green) } });
    const from = output.length;
    const first = await watched(["up", "--debug"], admin);
    const { api, name } = project.namespace;
    const { data } = await api.json<{ data: { key: string } }>({
      method: "GET",
      path: `/api/v1/namespaces/${name}/secrets/fraud-modelswitch.${name}`,
    });
    const key = Buffer.from(data.key, "base64").toString();
    expect(Buffer.from(key, "base64")).toHaveLength(32);
    const second = await watched(["switch", "green", "--json", "--debug"], admin);
    for (const { processes } of [first, second]) {
      const seen = processes.map(({ commandLine, environment }) => commandLine + environment);
      expect(seen.filter((text) => text.includes(key) || text.includes(data.key))).toEqual([]);
    }
    const files = [...filesBelow(join(project.namespace.folder, "machine")), ...filesBelow(project.folder)];
    expect(files.some((file) => file.endsWith(`${name}.json`))).toBe(true);
    const texts = [...files.map((file) => readFileSync(file, "utf8")), ...output.slice(from)];
    expect(texts.filter((text) => text.includes(key) || text.includes(data.key))).toEqual([]);
    await watched(["destroy", "--yes"], admin);
  });
});

describe.runIf(process.platform === "linux")("the local cluster", () => {
  test("listens on loopback and on its own link, in every network namespace", async () => {
    const name = process.env.MODELSWITCH_TEST_CLUSTER ?? "test";
    const status = await modelswitch(["cluster", "status", "--name", name, "--json"]);
    const { cluster } = JSON.parse(status.stdout) as { cluster: { kubeconfigPath: string } };
    const folder = join(cluster.kubeconfigPath, "..");
    const { addresses } = JSON.parse(readFileSync(join(folder, "cluster.json"), "utf8")) as {
      addresses: Readonly<Record<string, unknown>>;
    };
    const own = [addresses.host, addresses.node];
    const listening = componentNames.map((component) => {
      const { pid } = JSON.parse(readFileSync(join(folder, "processes", `${component}.json`), "utf8")) as {
        pid: number;
      };
      return { component, found: listeningAddresses(pid) };
    });
    const open = listening.flatMap(({ component, found }) =>
      found
        .filter((address) => !isLoopback(address) && !own.includes(address.replace(/:\d+$/, "")))
        .map((address) => `${component} ${address}`),
    );
    expect(listening.find(({ component }) => component === "kube-apiserver")?.found).not.toEqual([]);
    expect(open).toEqual([]);
  });

  test("shows no key or token in a command line", async () => {
    const { users } = parse(readFileSync(project.namespace.kubeconfigPath, "utf8")) as {
      users: { user: { "client-key-data": string } }[];
    };
    const key = users[0]?.user["client-key-data"] ?? "";
    expect(key).not.toBe("");
    const shown = readdirSync("/proc")
      .filter((entry) => /^\d+$/.test(entry))
      .filter((pid) => {
        try {
          return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(key);
        } catch {
          return false;
        }
      });
    expect(shown).toEqual([]);
  });
});

test("addresses are read as the kernel writes them", () => {
  expect(addressOf("0100007F:1F90")).toBe("127.0.0.1:8080");
  expect(isLoopback(addressOf("00000000000000000000000001000000:0050"))).toBe(true);
  expect(isLoopback(addressOf("0000000000000000FFFF00000100007F:0050"))).toBe(true);
  expect(isLoopback(addressOf("00000000:0050"))).toBe(false);
  expect(isLoopback(addressOf("00000000000000000000000000000000:0050"))).toBe(false);
});
