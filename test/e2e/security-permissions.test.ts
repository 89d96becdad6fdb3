import { readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rulesFor } from "../../src/cli/rbac/manifests.ts";
import { nginx } from "../../src/component/routers/nginx.ts";
import { custom } from "../../src/component/servers/custom.ts";
import { objectNames } from "../../src/core/names.ts";
import { optionalRows } from "../../src/core/optional-permissions.ts";
import {
  type Permission,
  type PolicyRule,
  permissionsOf,
  resourceName,
} from "../../src/core/permission-checks.ts";
import { type PermittedCommand, requiredRows, stateRow } from "../../src/core/permissions.ts";
import { connect } from "../../src/kubernetes/connect.ts";
import { allStateNames, stateNames } from "../../src/state/names.ts";
import { type RunResult, runMain } from "../unit/run-main.ts";
import { type ProcessResult, resultOf } from "./cli-process.ts";
import { installKinds } from "./controllers.ts";
import { ModelProject } from "./model-project.ts";
import { RecordingProxy } from "./recording-proxy.ts";
import { RestrictedAccount } from "./restricted-account.ts";
import { inTime, isSoak } from "./soak.ts";
import { testImages, versionAt } from "./test-cluster.ts";

const role = "fraud-modelswitch";

let project: ModelProject;
let account: RestrictedAccount;
let proxy: RecordingProxy;
let kubeconfig: string;

beforeAll(async () => {
  // What a cluster has decides what is looked at: it has whatever a router knows.
  await installKinds(connect({ path: process.env.MODELSWITCH_TEST_KUBECONFIG ?? "" }).api);
  project = await ModelProject.create("security");
  account = await RestrictedAccount.create(project.namespace, "ci");
  proxy = await RecordingProxy.start(project.namespace.kubeconfigPath);
  kubeconfig = await account.kubeconfig(proxy.url, Buffer.from(proxy.certificate).toString("base64"));
  await account.allow({ model: "fraud", stateSecrets: stateSecrets() });
  await account.until(true, "get", { group: "", resource: "pods/proxy" });
});

afterAll(async () => {
  proxy.close();
  await project.remove();
});

/** Runs a command as the restricted account, through the proxy. */
const command = (...args: string[]): Promise<ProcessResult> =>
  project.command([...args, "--json"], { env: { KUBECONFIG: kubeconfig } });

async function succeeds(...args: string[]): Promise<Record<string, unknown>> {
  const result = await command(...args);
  expect(result, `${args.join(" ")}:\n${result.stderr}${result.stdout}`).toMatchObject({ exitCode: 0 });
  return resultOf(result.stdout);
}

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly details: { readonly missing: readonly Permission[] };
}

/** The same in this process: two dozen starts of Node.js would take a minute. */
const commandHere = (...args: string[]): Promise<RunResult> =>
  runMain([...args, "--json"], {
    cwd: project.folder,
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      PULUMI_CONFIG_PASSPHRASE: "only for tests",
      KUBECONFIG: kubeconfig,
      MODELSWITCH_PROVIDER: process.env.MODELSWITCH_PROVIDER,
    },
  });

/** `exitCode` 2: before anything was written; 1: by the API server, when it was asked. */
async function refused(exitCode: 1 | 2, ...args: string[]): Promise<Refusal> {
  const result = await commandHere(...args);
  expect(result, `${args.join(" ")}:\n${result.stderr}${result.stdout}`).toMatchObject({ exitCode });
  const { error } = resultOf(result.stdout) as { error: Refusal };
  expect(error, JSON.stringify(error)).toMatchObject({ code: "permission-denied" });
  expect(error.message).toContain(`in the namespace ${project.namespace.name}`);
  expect(error.hint).toContain("docs/security.md");
  return error;
}

// IngressClasses are the cluster's: an account of a namespace has to be told where the ingress is.
const ingress = () => ({
  host: project.host,
  endpoints: [process.env.MODELSWITCH_TEST_INGRESS_URL ?? ""],
});
const slot = (image: string, replicas = 1) => ({ image, replicas, imagePullPolicy: "Never" });
const both = (greenReplicas = 1) => ({
  blue: slot(testImages.blue),
  green: slot(testImages.green, greenReplicas),
});

const key = (permission: Pick<Permission, "verb" | "group" | "resource">) =>
  `${permission.verb} ${resourceName(permission)}`;
const keysOf = (permissions: readonly Permission[]) => [...new Set(permissions.map(key))].sort();
const everyCommand: readonly PermittedCommand[] = [
  "status",
  "plan",
  "doctor",
  "up",
  "switch",
  "destroy",
  "engine",
];
/** The Role's rows, with those of the Secrets that the state is in. */
const stateSecrets = () =>
  allStateNames(stateNames("fraud", { project: "modelswitch-fraud", stack: project.namespace.name }));
const allRows = () => [...requiredRows(nginx.rights), stateRow(stateSecrets())];
const required = () => permissionsOf(allRows(), everyCommand, objectNames("fraud"));

/** resourceVersions of all that a model consists of. */
async function versions(): Promise<readonly string[]> {
  const { name } = project.namespace;
  const lists = await Promise.all(
    [
      `/apis/apps/v1/namespaces/${name}/deployments`,
      `/apis/networking.k8s.io/v1/namespaces/${name}/ingresses`,
      `/apis/policy/v1/namespaces/${name}/poddisruptionbudgets`,
      `/api/v1/namespaces/${name}/services`,
      `/api/v1/namespaces/${name}/configmaps`,
      `/apis/coordination.k8s.io/v1/namespaces/${name}/leases`,
    ].map((path) =>
      project.namespace.api.json<{ kind: string; items: { metadata: Record<string, unknown> }[] }>({
        method: "GET",
        path,
      }),
    ),
  );
  // Controllers write the status of Deployments: what is asked for has the generation.
  return lists.flatMap(({ kind, items }) =>
    items.map(
      ({ metadata }) =>
        `${kind} ${metadata.name} ${kind === "DeploymentList" ? metadata.generation : metadata.resourceVersion}`,
    ),
  );
}

/** What Pulumi's provider asks for beside the Role and its options, and does as well without. */
const doneWithout = ["watch persistentvolumeclaims"];

/** A lock whose holder was killed, as it stays behind. */
async function leaveLock(): Promise<void> {
  await project.namespace.api.json({
    method: "POST",
    path: `/apis/coordination.k8s.io/v1/namespaces/${project.namespace.name}/leases`,
    body: {
      apiVersion: "coordination.k8s.io/v1",
      kind: "Lease",
      metadata: { name: role },
      spec: {
        holderIdentity: JSON.stringify({
          operator: `ada@${hostname()}`,
          host: hostname(),
          pid: 2 ** 22 + 1,
          command: "up",
        }),
        leaseDurationSeconds: 20,
        acquireTime: "2026-01-01T00:00:00.000000Z",
        renewTime: "2026-01-01T00:00:00.000000Z",
      },
    },
  });
}

/** One story, told in order, by an account that has the Role which `modelswitch rbac` prints and nothing beside it. */
describe("the Role", () => {
  test("is enough for every command", { timeout: 900_000 }, async () => {
    // Slots whose pods somebody else runs: only Services and the Ingress.
    const server = custom({ port: 9000 });
    await project.configure({ slots: { blue: {}, green: {} }, ingress: ingress(), router: "plain", server });
    await succeeds("plan");
    await succeeds("up");
    await project.configure({ slots: both(), ingress: ingress() });
    await succeeds("up", "--allow-live-change");
    expect(await succeeds("status")).toMatchObject({ live: "blue" });
    const { checks } = (await succeeds("doctor")) as { checks: { name: string; state: string }[] };
    expect(checks).toContainEqual(expect.objectContaining({ name: "permissions", state: "ok" }));
    expect(checks).toContainEqual(expect.objectContaining({ name: "ingress-class", state: "skipped" }));

    await leaveLock();
    await succeeds("switch", "green");
    await project.configure({ slots: both(2), ingress: ingress(), router: "plain" });
    await succeeds("up");
    const green = { ...both(2).green, disruptionBudget: { maxUnavailable: "50%" } };
    await project.configure({ slots: { ...both(2), green }, ingress: ingress(), router: "plain" });
    await succeeds("up");
    await succeeds("switch", "blue");
  });

  test.runIf(isSoak)(
    "is needed verb by verb: without it a command is refused before it writes anything",
    {
      timeout: 900_000,
    },
    async () => {
      const before = await versions();
      const rules = rulesFor(allRows(), everyCommand, objectNames("fraud")).map(({ rule }) => rule);
      for (const row of allRows()) {
        for (const [verb, commands] of Object.entries(row.verbs)) {
          const about = { verb, group: row.group, resource: row.resource };
          await account.setRules(role, without(rules, about));
          const [one] = permissionsOf(
            [{ ...row, verbs: { [verb]: commands } }],
            everyCommand,
            objectNames("fraud"),
          );
          if (one === undefined) throw new Error(`${key(about)} is no permission.`);
          await account.until(false, verb, one);
          const writes = ["up", "switch", "destroy"].find((name) => commands.some((each) => each === name));
          const needing = writes ?? (commands.includes("engine") ? "up" : "status");
          // Whoever only reads is refused what is asked for.
          const error = await refused(needing === "status" ? 1 : 2, ...commandLine(needing));
          expect(keysOf(error.details.missing)).toEqual([key(about)]);
          expect(error.message).toContain(`${account.user} may not ${key(about)}`);
        }
      }
      await account.setRules(role, rules);
      for (const about of required()) await account.until(true, about.verb, about);
      expect(await versions()).toEqual(before);
    },
  );

  test("for reading is enough for status, plan and doctor, and refuses the rest", async () => {
    const reader = rulesFor(allRows(), ["status", "plan", "doctor"], objectNames("fraud")).map(
      ({ rule }) => rule,
    );
    const all = rulesFor(allRows(), everyCommand, objectNames("fraud")).map(({ rule }) => rule);
    await account.setRules(role, reader);
    await account.until(false, "get", { group: "", resource: "pods/proxy" });
    await project.configure({ slots: both(1), ingress: ingress(), router: "plain" });
    expect(await succeeds("plan")).toMatchObject({
      // That one replica has no budget for node drains any more only the state knows, which readers don't get.
      changes: [{ kind: "Deployment", operation: "update" }],
    });
    await succeeds("status");
    await succeeds("doctor");
    expect(keysOf((await refused(2, "up")).details.missing)).toEqual(
      expect.arrayContaining(["patch deployments.apps", "list endpoints"]),
    );
    expect((await refused(1, "status", "--config", await anotherModel())).message).toContain(
      'may not get configmaps "spam-modelswitch"',
    );
    await account.setRules(role, all);
    for (const about of required()) await account.until(true, about.verb, about);
  });

  test.each([
    ["switch green", { verb: "patch", resource: "ingresses" }],
    ["switch green", { verb: "get", resource: "pods/proxy" }],
    ["up", { verb: "patch", resource: "deployments" }],
    ["up", { verb: "list", resource: "replicasets" }],
    ["destroy --yes", { verb: "delete", resource: "services" }],
  ])(
    "withdrawn in the middle of `%s` (%o): says which, and the command can go on later",
    async (line, what) => {
      await project.configure({ slots: both(1), ingress: ingress(), router: "plain" });
      proxy.deny = ({ verb, resource }) => verb === what.verb && resource === what.resource;
      try {
        const error = await refused(1, ...line.split(" "));
        expect(error.details.missing).toContainEqual(expect.objectContaining(what));
        expect(error.message).toContain(`may not ${what.verb} ${what.resource}`);
      } finally {
        proxy.deny = () => false;
      }
      if (line.startsWith("switch")) expect(await succeeds("status")).toMatchObject({ live: "blue" });
    },
  );

  /** What makes Pulumi wait by these lists, each of which it would wait for without an end. */
  const replicas = () => ({ slots: both(2), ingress: ingress(), router: "plain" });
  const annotated = () => ({
    slots: both(2),
    ingress: { ...ingress(), annotations: { "example.com/note": "mine" } },
    router: "plain",
  });
  const budgets = () => ({
    slots: both(1),
    ingress: { ...ingress(), annotations: { "example.com/note": "mine" } },
    router: "plain",
  });
  const withdrawn: [resource: string, settings: () => Record<string, unknown>][] = [
    ["deployments", replicas],
    ["endpoints", annotated],
    ["persistentvolumeclaims", replicas],
    ["ingresses", annotated],
    ["services", annotated],
    ["poddisruptionbudgets", budgets],
  ];
  test.each(inTime(2, withdrawn))(
    "a list of %s that is withdrawn while Pulumi runs ends the command, which would wait for ever",
    async (resource, settings) => {
      await project.configure(settings());
      proxy.deny = (asked) => asked.verb === "list" && asked.resource === resource;
      try {
        const error = await refused(1, "up");
        expect(error.details.missing).toEqual([expect.objectContaining({ verb: "list", resource })]);
        expect(error.message).toContain("would have waited for ever");
      } finally {
        proxy.deny = () => false;
      }
    },
  );

  test("leaves nothing behind with destroy, and holds nothing that was not used", async () => {
    await succeeds("destroy", "--yes");
    expect((await versions()).filter((line) => !line.includes("kube-root-ca"))).toEqual([]);
    const used = proxy.asked.filter(({ status }) => status !== 403);
    const optional = permissionsOf(optionalRows(nginx), [...everyCommand, "init"], undefined);
    // Every permission was used, and nothing that is neither in the Role nor optional was even asked for.
    expect(keysOf(used)).toEqual(keysOf(required()));
    const all = new Set([...keysOf(required()), ...keysOf(optional), "list pods", ...doneWithout]);
    const beyond = proxy.asked.filter((one) => !all.has(key(one)));
    expect(beyond, JSON.stringify(beyond)).toEqual([]);
    // Cluster-wide, `doctor` asks for pods of a retired controller and for Gateways, others who has the host, and `up` for room on the nodes.
    const elsewhere = proxy.asked.filter(
      ({ namespace, resource }) => namespace !== project.namespace.name && resource !== "ingressclasses",
    );
    expect(keysOf(elsewhere)).toEqual([
      // Which cluster it is: the copy of the state on this machine is kept for each.
      "get namespaces",
      ...["list gatewayclasses.gateway.networking.k8s.io", "list gateways.gateway.networking.k8s.io"],
      "list gateways.networking.istio.io",
      ...["list ingresses.networking.k8s.io", "list nodes", "list pods"],
    ]);
  });
});

test("without what Pulumi waits by, a rollback brings clients back, and whoever has it finishes", {
  timeout: 600_000,
}, async () => {
  const names = objectNames("fraud");
  const roleOf = (commands: readonly PermittedCommand[]) =>
    rulesFor(allRows(), commands, names).map(({ rule }) => rule);
  await account.setRules(role, roleOf(everyCommand));
  await account.until(true, "list", { group: "", resource: "endpoints" });
  await project.configure({
    slots: undefined,
    release: { image: testImages.blue, replicas: 1, imagePullPolicy: "Never" },
    rollout: { settle: 1, soak: 1, drain: 1, steps: "50%", rollbackWindow: 600 },
    ingress: ingress(),
  });
  await succeeds("up");
  await succeeds("release", "--set", `image=${testImages.green}`);
  expect(await versionAt(project.host)).toBe("2");

  await account.setRules(role, roleOf(everyCommand.filter((command) => command !== "engine")));
  await account.until(false, "list", { group: "", resource: "endpoints" });
  const lists = ["deployments.apps", "endpoints", "ingresses.networking.k8s.io", "persistentvolumeclaims"];
  const missing = [...lists, "poddisruptionbudgets.policy", "services"].map((one) => `list ${one}`).sort();
  const forward = await refused(2, "release", "--set", "image=fraud:never");
  expect(keysOf(forward.details.missing)).toEqual(missing);
  for (const line of ["rollback", "resume"]) {
    const { exitCode, stdout } = await command(line);
    expect(exitCode, `${line}:\n${stdout}`).toBe(5);
    const { error } = resultOf(stdout) as { error: Refusal };
    expect(error.code).toBe("rollback-unfinished");
    expect(error.message).toContain("All traffic of fraud is on blue");
    expect(error.message).toContain("Pulumi was not started");
    for (const one of lists) expect(error.message).toContain(`list ${one}`);
    expect(await versionAt(project.host)).toBe("1");
  }
  await account.setRules(role, roleOf(everyCommand));
  await account.until(true, "list", { group: "", resource: "endpoints" });
  await succeeds("resume");
  await succeeds("destroy", "--yes");
});

test("with the optional permissions `init --from` takes over what runs, and programs of one's own run", async () => {
  const { name } = project.namespace;
  await account.allow({ model: "fraud", anyName: true, withOptional: true, stateSecrets: stateSecrets() });
  await account.until(true, "list", { group: "", resource: "services" });
  for (const color of ["blue", "green"] as const)
    await project.namespace.deploy(`user-${color}`, testImages[color], { app: "ml-model", version: color });
  const seed = (...more: string[]) => {
    const program = ["run", join(import.meta.dirname, "..", "..", "examples", "seed"), "--stack", name];
    const config = { host: project.host, "kubernetes:namespace": name };
    const options = Object.entries(config).flatMap(([option, value]) => ["--config", `${option}=${value}`]);
    return succeeds(...program, ...options, ...more);
  };
  await seed();
  const create = (path: string, body: object) => project.namespace.api.json({ method: "POST", path, body });
  const service = { name: "spam-http", port: { number: 80 } };
  await create(`/api/v1/namespaces/${name}/services`, {
    metadata: { name: service.name },
    spec: { selector: { app: "ml-model", version: "blue" }, ports: [{ port: 80, targetPort: 8080 }] },
  });
  await create(`/apis/networking.k8s.io/v1/namespaces/${name}/ingresses`, {
    metadata: { name: "spam" },
    spec: {
      ingressClassName: "nginx",
      rules: [
        {
          host: `spam.${project.host}`,
          http: { paths: [{ path: "/", pathType: "Prefix", backend: { service } }] },
        },
      ],
    },
  });
  await rm(project.configFile, { force: true });
  await succeeds("init", "--from", "ingress/spam");
  expect(await readFile(project.configFile, "utf8")).toContain(project.host);
  await seed("--destroy", "--remove", "--yes");
});

const commandLine = (name: string) =>
  ({ switch: ["switch", "green"], destroy: ["destroy", "--yes"] })[name] ?? [name];

/** The rules without one verb of one resource. */
function without(rules: readonly PolicyRule[], { verb, group, resource }: Permission): PolicyRule[] {
  return rules.flatMap((rule) => {
    if (rule.apiGroups?.[0] !== group || rule.resources?.[0] !== resource) return [rule];
    const verbs = (rule.verbs ?? []).filter((one) => one !== verb);
    return verbs.length === 0 ? [] : [{ ...rule, verbs }];
  });
}

/** A configuration of another model in the same namespace. */
async function anotherModel(): Promise<string> {
  const { readFile: read, writeFile: write } = await import("node:fs/promises");
  const file = join(project.folder, "spam.config.ts");
  const text = await read(project.configFile, "utf8");
  await write(file, text.replace('"fraud"', '"spam"'));
  return file;
}
