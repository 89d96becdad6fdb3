import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { execInfo, execPlugin, type PluginWorld } from "./exec-plugin.ts";
import type { ChosenCluster } from "./kubeconfig/choose.ts";
import type { Fields } from "./kubeconfig/parse.ts";

const folder = mkdtempSync(join(tmpdir(), "modelswitch-exec-"));
afterAll(() => rmSync(folder, { recursive: true }));

const apiVersion = "client.authentication.k8s.io/v1";
let scripts = 0;

/** A plug-in of that shell script. */
function script(text: string, more: Fields = {}): Fields {
  const command = join(folder, `plugin-${++scripts}`);
  writeFileSync(command, `#!/bin/sh\n${text}\n`);
  chmodSync(command, 0o700);
  return { apiVersion, command, interactiveMode: "IfAvailable", ...more };
}

const answer = (status: Fields) => `echo '${JSON.stringify({ kind: "ExecCredential", apiVersion, status })}'`;

const chosen: ChosenCluster = {
  context: "c",
  namespace: undefined,
  clusterName: "c",
  cluster: {
    server: "https://api:6443",
    "certificate-authority-data": "Y2E=",
    "tls-server-name": "kubernetes",
    extensions: [{ name: "client.authentication.k8s.io/exec", extension: { audience: "x" } }],
  },
  userName: "u",
  user: {},
};

const world = (more: Partial<PluginWorld> = {}): PluginWorld => ({
  env: { PATH: process.env.PATH, HOME: "/home/ada" },
  now: Date.now,
  isTerminal: false,
  ...more,
});

test("it is told the API version and, where it wants that, the cluster", () => {
  const exec = { apiVersion, command: "x", provideClusterInfo: true };
  expect(JSON.parse(execInfo(exec, chosen, false))).toEqual({
    kind: "ExecCredential",
    apiVersion,
    spec: {
      interactive: false,
      cluster: {
        server: "https://api:6443",
        "certificate-authority-data": "Y2E=",
        "tls-server-name": "kubernetes",
        config: { audience: "x" },
      },
    },
  });
  expect(JSON.parse(execInfo({ ...exec, provideClusterInfo: false }, chosen, true)).spec).toEqual({
    interactive: true,
  });
});

test("it gets its variables, and KUBERNETES_EXEC_INFO", async () => {
  const out = join(folder, "env");
  const exec = script(`env > ${out}; ${answer({ token: "t" })}`, {
    env: [{ name: "AWS_PROFILE", value: "ml" }],
  });
  expect(await execPlugin(exec, chosen, world()).credentials()).toMatchObject({ token: "t" });
  const seen = readFileSync(out, "utf8");
  expect(seen).toContain("AWS_PROFILE=ml");
  expect(seen).toContain("HOME=/home/ada");
  expect(seen).toContain('KUBERNETES_EXEC_INFO={"kind":"ExecCredential"');
});

test("all who wait share one run, which is kept until it expires or is refused", async () => {
  const runs = join(folder, "runs");
  const count = () => (existsSync(runs) ? readFileSync(runs, "utf8").length : 0);
  let now = Date.parse("2030-01-01T00:00:00Z");
  const exec = script(
    `printf x >> ${runs}; sleep 0.2; ${answer({ token: "t", expirationTimestamp: "2030-01-01T01:00:00Z" })}`,
  );
  const plugin = execPlugin(exec, chosen, world({ now: () => now }));
  const [first] = await Promise.all([plugin.credentials(), plugin.credentials(), plugin.credentials()]);
  await plugin.credentials();
  expect(count()).toBe(1);
  plugin.refused(first);
  const second = await plugin.credentials();
  expect(count()).toBe(2);
  // Who was refused with the older ones need not make others ask again.
  plugin.refused(first);
  expect(await plugin.credentials()).toBe(second);
  now = Date.parse("2030-01-01T01:00:01Z");
  await plugin.credentials();
  expect(count()).toBe(3);
});

test.each<[string, () => Fields, readonly string[]]>([
  [
    "is not there",
    () => ({ apiVersion, command: "/not/there", installHint: "Get it with\n  brew" }),
    ["/not/there is not there", "brew"],
  ],
  [
    "fails, with what it said",
    () => script("echo 'Token has expired' >&2; exit 3"),
    ["exit code 3", "Token has expired"],
  ],
  ["is killed", () => script("kill -9 $$"), ["SIGKILL"]],
  ["says nothing", () => script("true"), ["no answer"]],
  ["says no JSON", () => script("echo geheim"), ["no JSON"]],
  [
    "says another version",
    () => script(`echo '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1"}'`),
    ["v1beta1"],
  ],
  [
    "gives no status",
    () => script(`echo '{"kind":"ExecCredential","apiVersion":"${apiVersion}"}'`),
    ["no status"],
  ],
  ["gives nothing", () => script(answer({})), ["neither a token nor a certificate"]],
  ["gives half a pair", () => script(answer({ clientKeyData: "geheim" })), ["not both"]],
  ["needs a terminal", () => script("true", { interactiveMode: "Always" }), ["terminal"]],
  ["does not end", () => script("sleep 60 & sleep 60"), ["did not end within"]],
])("a plug-in that %s is told as that", async (_what, exec, parts) => {
  const started = Date.now();
  const error: unknown = await execPlugin(exec(), chosen, world({ deadlineMs: 1_500 }))
    .credentials()
    .catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: "credential-plugin-failed" });
  const said = error instanceof Error && "hint" in error ? `${error.message} ${String(error.hint)}` : "";
  for (const part of parts) expect(said).toContain(part);
  expect(said).not.toContain("geheim");
  expect(Date.now() - started).toBeLessThan(20_000);
});
