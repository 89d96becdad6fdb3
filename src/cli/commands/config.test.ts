import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { runMain } from "../../../test/unit/run-main.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "modelswitch-config-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const kubeconfig = (server: string) =>
  JSON.stringify({
    "current-context": "a",
    clusters: [{ name: "c", cluster: { server } }],
    contexts: ["a", "b"].map((name) => ({
      name,
      context: { cluster: "c", user: "u", namespace: `of-${name}` },
    })),
    users: [{ name: "u", user: {} }],
  });
const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  runMain([...argv, "-C", folder], { env: { HOME: folder, XDG_STATE_HOME: folder, ...env } });
const json = async (argv: readonly string[], env: Readonly<Record<string, string>> = {}) => {
  const { stdout } = await run([...argv, "--json"], env);
  return JSON.parse(stdout) as Record<string, unknown>;
};

const models = `
models:
  fraud: { release: { image: "fraud:1", env: { API_TOKEN: "\${env:API_TOKEN:-hush}" } }, ingress: { host: f.acme.io } }
  churn: { release: { image: "churn:1", args: ["--key=\${env:CHURN_KEY_SECRET:-none}"] }, ingress: { host: c.acme.io } }
`;
const environments = `
environments:
  staging: { namespace: staging }
  production: { namespace: ml }
`;

describe("config show", () => {
  test("is the configuration that applies, with every default, and no secrets", async () => {
    write("modelswitch.config.yaml", models + environments);
    const { exitCode, stdout } = await run(["config", "show", "-e", "staging"], { CHURN_KEY_SECRET: "hush" });
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`# fraud in staging, from ${join(folder, "modelswitch.config.yaml")}`);
    expect(stdout).toContain("namespace: staging");
    expect(stdout).toContain("stack: staging");
    expect(stdout).toContain("project: modelswitch-churn");
    expect(stdout).toContain("imagePullPolicy: IfNotPresent");
    expect(stdout).toContain("- --key=[hidden]");
    expect(stdout).not.toContain("hush");
  });

  test("says where each value comes from", async () => {
    write("modelswitch.config.yaml", models + environments);
    write("kubeconfig", kubeconfig("https://k:6443"));
    const env = {
      MODELSWITCH_CONTEXT: "b",
      MODELSWITCH_MODEL: "fraud",
      KUBECONFIG: join(folder, "kubeconfig"),
    };
    const { exitCode, stdout } = await run(["config", "show", "-e", "production", "--resolved"], env);
    expect(exitCode).toBe(0);
    const row = (key: string) =>
      stdout
        .split("\n")
        .find((line) => line.startsWith(`${key} `))
        ?.split(/ {3,}/);
    expect(row("namespace")).toEqual([
      "namespace",
      "ml",
      "modelswitch.config.yaml: environments.production.namespace",
    ]);
    expect(row("release.image")).toEqual([
      "release.image",
      "fraud:1",
      "modelswitch.config.yaml: models.fraud.release.image",
    ]);
    expect(row("release.env.API_TOKEN")?.[1]).toBe("[hidden]");
    expect(row("release.replicas")).toEqual(["release.replicas", "1", "default"]);
    expect(row("context")).toEqual(["context", "b", "MODELSWITCH_CONTEXT"]);
    expect(row("kubeconfig")?.[2]).toBe("KUBECONFIG");
    expect(row("server.httpPort")).toEqual(["server.httpPort", "8080", "default of custom"]);
    expect(row("ingress.endpoints")?.[1]).toBe("(the Ingress's addresses)");
  });

  test("takes the namespace of the context where no file names one", async () => {
    write(
      "modelswitch.config.json",
      JSON.stringify({ name: "fraud", release: { image: "a:1" }, ingress: { host: "a.b" } }),
    );
    write("kubeconfig", kubeconfig("https://k:6443"));
    const shown = await json(["config", "show", "--resolved", "--kubeconfig", "kubeconfig"]);
    expect(shown).toMatchObject({ config: { namespace: "of-a", pulumi: { stack: "of-a" } } });
    expect(shown.values).toContainEqual({
      path: ["namespace"],
      value: "of-a",
      source: { kind: "surroundings", name: "the kubeconfig's context" },
    });
  });

  test("what is wrong with one model does not hide the others", async () => {
    write("modelswitch.config.yaml", models.replace("host: c.acme.io", "host: C.acme.io"));
    const { exitCode, stdout } = await run(["config", "show"]);
    expect(exitCode).toBe(2);
    expect(stdout).toContain("host: f.acme.io");
    expect(stdout).toContain('models.churn.ingress.host: "C.acme.io" has upper-case letters');
  });
});

describe("config validate", () => {
  test("lists what is there", async () => {
    write("modelswitch.config.yaml", models + environments);
    expect(await run(["config", "validate"])).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining("is valid: 2 models in 2 environments."),
    });
  });

  test("finds an identity that no request through the Ingress reaches, and other commands do not refuse for it", async () => {
    const fraud = `{ server: { preset: mlserver, modelName: fraud }, release: { image: "fraud:1" }, ingress: { host: f.acme.io, path: /fraud } }`;
    write("modelswitch.config.yaml", `models:\n  fraud: ${fraud}\n`);
    const { exitCode, stderr } = await run(["config", "validate"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('ingressPath: "/fraud/v2/models/fraud"');
    expect(await run(["config", "show"])).toMatchObject({ exitCode: 0 });
  });

  test("finds every mistake of every model, environment and file at once", async () => {
    write(
      "modelswitch.config.yaml",
      `${models.replace("host: c.acme.io", "hots: c")}${environments.replace("ml }", "ml, live: gren }")}defaultEnvironment: prod\n`,
    );
    write("modelswitch.config.staging.yaml", "release: { replicas: few }\n");
    write("modelswitch.config.old.yaml", "{}\n");
    const { exitCode, stdout, stderr } = await run(["config", "validate"]);
    expect(exitCode).toBe(2);
    expect(stdout).toBe("");
    const main = join(folder, "modelswitch.config.yaml");
    for (const line of [
      `${main}: defaultEnvironment: "prod" is none of staging, production; did you mean "production"?`,
      `${main}: models.churn.ingress.host: is missing`,
      `${main}: models.churn.ingress.hots: is an unknown key; did you mean "ingress.host"?`,
      `${main}: environments.production.live: "gren" is none of blue, green; did you mean "green"?`,
      `${join(folder, "modelswitch.config.staging.yaml")}: release.replicas: "few" must be a number`,
      "modelswitch.config.old.yaml belongs to no environment",
    ])
      expect(stderr).toContain(line);
    expect(stderr).toContain("has 5 mistakes");
    expect(stderr.match(/hots/g)).toHaveLength(1);
  });

  test("says in which environment a model is wrong, where it is not in all of them", async () => {
    write(
      "modelswitch.config.yaml",
      models + environments.replace("namespace: ml", "namespace: ml, ingress: null"),
    );
    const { stderr } = await run(["config", "validate"]);
    expect(stderr).toMatch(/models\.fraud\.ingress: is missing.* \(in the environment production\)/);
  });

  test.each<[string, string, string]>([
    [
      "two environments that are one place",
      `${models}\nenvironments: { a: { namespace: ml }, b: { namespace: ml } }`,
      "environments.a: shares its objects with fraud in b: both are the model fraud in the namespace ml of https://k:6443",
    ],
    [
      "two contexts of one cluster",
      `${models}\nenvironments: { a: { context: a, namespace: ml }, b: { context: b, namespace: ml } }`,
      "environments.a: shares its objects with fraud in b",
    ],
    [
      "a model called like the canary Ingress of another",
      models.replace("churn:", "fraud-canary:"),
      "models.fraud: shares the Ingress fraud-canary with fraud-canary",
    ],
    [
      "two models in one stack",
      `defaults: { namespace: ml, pulumi: { project: all } }\n${models}`,
      "models.fraud: has the same Pulumi stack as churn (project all, stack ml)",
    ],
  ])("refuses %s", async (_what, text, message) => {
    write("modelswitch.config.yaml", text);
    write("kubeconfig", kubeconfig("https://k:6443"));
    const env = { KUBECONFIG: join(folder, "kubeconfig") };
    const { exitCode, stderr } = await run(["config", "validate"], env);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
    // A command on the model is refused for the same reason, before it asks the cluster.
    const choice = text.includes("environments") ? ["-e", "a"] : [];
    const status = await run(["status", "--model", "fraud", ...choice], env);
    expect(status.exitCode).toBe(2);
    expect(status.stderr).toContain(message);
  });

  test("contexts of different namespaces are different places", async () => {
    write("modelswitch.config.yaml", `${models}\nenvironments: { a: { context: a }, b: { context: b } }`);
    write("kubeconfig", kubeconfig("https://k:6443"));
    expect((await run(["config", "validate"], { KUBECONFIG: join(folder, "kubeconfig") })).exitCode).toBe(0);
  });

  test("looks at the files that it names, in all models and environments", async () => {
    mkdirSync(join(folder, "gates"));
    write("gates/not-executable.sh", "#!/bin/sh\n");
    write("binary", "\u0000");
    writeFileSync(join(folder, "latin1.json"), Buffer.from([0xe9]));
    write("clusters", kubeconfig("https://one"));
    write(
      "modelswitch.config.yaml",
      `name: fraud
release: { image: "fraud:1", configFiles: { /a.json: { file: none.json }, /b.json: { file: latin1.json }, /c: { file: gates } } }
ingress: { host: f.acme.io }
kubeconfig: clusters
context: c
rollout:
  hooks:
    - { name: one, before: shift, run: [gates/not-executable.sh] }
    - { name: two, before: shift, run: [./none.sh] }
    - { name: three, before: shift, run: [gates/] }
    - { name: four, before: shift, run: [not-on-any-path] }
`,
    );
    const { exitCode, stderr } = await run(["config", "validate"]);
    expect(exitCode).toBe(2);
    for (const part of [
      'release.configFiles["/a.json"]',
      "none.json cannot be read",
      "latin1.json is not UTF-8",
      "gates is no file",
      "rollout.hooks[0].run: the program",
      "chmod +x",
      "none.sh is not there",
      "gates/ is a folder",
      "not-on-any-path",
      'context: The kubeconfig has no context "c"',
    ])
      expect(stderr).toContain(part);
  });

  test("a kubeconfig that only another machine has is no mistake; one that cannot be read is", async () => {
    const config = `${models.replace("models:", "defaults: { kubeconfig: clusters }\nmodels:")}`;
    write("modelswitch.config.yaml", config);
    const { exitCode, stderr } = await run(["config", "validate"]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("is not on this machine");
    write("clusters", "users: [{name: u, user: {token: 12345}}]");
    const broken = await run(["config", "validate"]);
    expect(broken.exitCode).toBe(2);
    expect(broken.stderr).toContain("users[0].user.token is a number");
    expect(broken.stderr).not.toContain("12345");
  });

  test("a mistake elsewhere does not stop a command", async () => {
    write("modelswitch.config.yaml", models.replace("host: c.acme.io", "hots: c"));
    expect((await run(["config", "show", "--model", "fraud"])).exitCode).toBe(0);
    expect((await run(["config", "validate"])).exitCode).toBe(2);
  });

  test("an old file is read, and what to change is said; a newer one is refused", async () => {
    const one = "name: fraud\nrelease: { image: 'a:1' }\ningress: { host: a.b, class: traefik }\n";
    write("modelswitch.config.yaml", one);
    const old = await run(["config", "show"]);
    expect(old.stderr).toContain("ingress.class is now ingress.className");
    expect(old.stdout).toContain("className: traefik");
    write("modelswitch.config.yaml", `configVersion: 2\n${one}`);
    expect(await run(["config", "show"])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining("was written for a newer modelswitch"),
    });
  });
});
