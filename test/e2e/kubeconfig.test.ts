import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/core/errors.ts";
import { whyUnusable } from "../../src/kubernetes/kubeconfig/usable.ts";
import { chosenCluster, type KubeconfigSource } from "../../src/kubernetes/source.ts";
import { run } from "./cli-process.ts";

type Fields = Record<string, unknown>;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "modelswitch-kubeconfigs-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const one = (name: string, more = "") => `apiVersion: v1
kind: Config
clusters:
- name: ${name}
  cluster: {server: "https://${name}.test:6443"${more}}
users:
- name: ${name}
  user: {token: token-of-${name}}
contexts:
- name: ${name}
  context: {cluster: ${name}, user: ${name}, namespace: ns-${name}}
`;
const current = (name: string) => `current-context: ${name}\n`;

interface Case {
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** With `%` for the folder, `@` for the way to it from here. @default KUBECONFIG is not set, and HOME is the folder */
  readonly KUBECONFIG?: string;
  readonly kubeconfig?: string;
  readonly context?: string;
}

const cases: Readonly<Record<string, Case>> = {
  "one file": { files: { a: one("a") + current("a") }, KUBECONFIG: "%/a" },
  "~/.kube/config": { files: { ".kube/config": one("a") + current("a") } },
  "two files, the first current context": {
    files: { a: one("a") + current("a"), b: one("b") + current("b") },
    KUBECONFIG: "%/a:%/b",
  },
  "two files, a context of the second": {
    files: { a: one("a") + current("a"), b: one("b") },
    KUBECONFIG: "%/a:%/b",
    context: "b",
  },
  "the first file has no current context": {
    files: { a: one("a"), b: one("b") + current("b") },
    KUBECONFIG: "%/a:%/b",
  },
  "the current context of one file is in another": {
    files: { a: one("a") + current("b"), b: one("b") },
    KUBECONFIG: "%/a:%/b",
  },
  "names clash: the first wins whole": {
    files: {
      a: one("x") + current("x"),
      b: one("x", ", tls-server-name: other").replaceAll("x.test", "y.test"),
    },
    KUBECONFIG: "%/a:%/b",
  },
  "the same file twice, empty entries, missing files": {
    files: { a: one("a") + current("a") },
    KUBECONFIG: ":%/gone::%/a:%/a:",
  },
  "an empty file first": { files: { a: "", b: one("b") + current("b") }, KUBECONFIG: "%/a:%/b" },
  "KUBECONFIG hides ~/.kube/config": {
    files: { ".kube/config": one("home") + current("home"), a: one("a") + current("a") },
    KUBECONFIG: "%/a",
  },
  "an explicit file alone, whatever KUBECONFIG says": {
    files: { a: one("a") + current("a"), b: one("b") + current("b") },
    KUBECONFIG: "%/a",
    kubeconfig: "%/b",
  },
  "relative certificates start at their own file": {
    files: {
      "d/a": one("a", ", certificate-authority: ca.crt") + current("a"),
      "d/ca.crt": "authority of d",
      "ca.crt": "another authority",
      b: one("b"),
    },
    KUBECONFIG: "%/b:%/d/a",
  },
  JSON: {
    files: {
      a: JSON.stringify({
        apiVersion: "v1",
        kind: "Config",
        clusters: [{ name: "j", cluster: { server: "https://j" } }],
        contexts: [{ name: "j", context: { cluster: "j", user: "j" } }],
        users: [{ name: "j", user: {} }],
        "current-context": "j",
      }),
    },
    KUBECONFIG: "%/a",
  },
  "a byte order mark": { files: { a: `\uFEFF${one("a")}${current("a")}` }, KUBECONFIG: "%/a" },
  CRLF: { files: { a: (one("a") + current("a")).replaceAll("\n", "\r\n") }, KUBECONFIG: "%/a" },
  "impersonation, proxy, insecure": {
    files: {
      a: (
        one(
          "a",
          ", proxy-url: socks5://127.0.0.1:1080, insecure-skip-tls-verify: true, disable-compression: true",
        ) + current("a")
      ).replace(
        "{token: token-of-a}",
        "{token: t, as: ada, as-uid: '7', as-groups: [g], as-user-extra: {k: [v]}}",
      ),
    },
    KUBECONFIG: "%/a",
  },
  "UTF-16": {
    files: { a: Buffer.from(`\uFEFF${one("a")}${current("a")}`, "utf16le") },
    KUBECONFIG: "%/a",
  },
  "merge keys": {
    files: {
      a: `x: &x {server: "https://a.test"}\n${one("a").replace(/\{server.*\}/, "{<<: *x}")}${current("a")}`,
    },
    KUBECONFIG: "%/a",
  },
  "a date as a token": {
    files: { a: one("a").replace("token-of-a", "2030-01-01") + current("a") },
    KUBECONFIG: "%/a",
  },
  "yes as a name": { files: { a: one("yes") + current("yes") }, KUBECONFIG: "%/a" },
  "an unknown key": { files: { a: `extra: 1\n${one("a")}${current("a")}` }, KUBECONFIG: "%/a" },
  "two documents": {
    files: { a: `${one("a")}${current("a")}---\n${one("b")}${current("b")}` },
    KUBECONFIG: "%/a",
  },
  "a key twice": { files: { a: `${one("a")}${current("a")}${current("a")}` }, KUBECONFIG: "%/a" },
  "an unknown tag": {
    files: { a: one("a").replace("token-of-a", "!x t") + current("a") },
    KUBECONFIG: "%/a",
  },
  "an alias without an anchor": {
    files: { a: one("a").replace("token-of-a", "*t") + current("a") },
    KUBECONFIG: "%/a",
  },
  "no mapping": { files: { a: "- a\n" }, KUBECONFIG: "%/a" },
  "only a comment": { files: { a: "# nothing\n", b: one("b") + current("b") }, KUBECONFIG: "%/a:%/b" },
  "a namespace that is a number": {
    files: { a: one("a").replace("ns-a", "12") + current("a") },
    KUBECONFIG: "%/a",
  },
  "clusters that are null": {
    files: { a: "clusters:\n", b: one("b") + current("b") },
    KUBECONFIG: "%/a:%/b",
  },
  "a relative path in KUBECONFIG": { files: { a: one("a") + current("a") }, KUBECONFIG: "@/a" },
  "an unknown context": { files: { a: one("a") }, KUBECONFIG: "%/a", context: "zz" },
  "no such explicit file": { files: {}, kubeconfig: "%/none" },
  "a context of an unknown cluster": {
    files: { a: one("a").replace("cluster: a,", "cluster: z,") + current("a") },
    KUBECONFIG: "%/a",
  },
  "a broken file among others": {
    files: { a: "clusters: [", b: one("b") + current("b") },
    KUBECONFIG: "%/a:%/b",
  },
  "a folder among the files": { files: { "d/x": "", b: one("b") + current("b") }, KUBECONFIG: "%/d:%/b" },
  "another kind": { files: { a: "apiVersion: v1\nkind: Pod\n" }, KUBECONFIG: "%/a" },
  "a number as a token": {
    files: { a: one("a").replace("token-of-a", "12345") + current("a") },
    KUBECONFIG: "%/a",
  },
  "the same name twice in one file": {
    files: { a: `${one("a")}- name: a\n  context: {cluster: a, user: a}\n${current("a")}` },
    KUBECONFIG: "%/a",
  },
};

describe("the cluster that is meant is kubectl's", () => {
  test.each(Object.keys(cases))("%s", async (name) => {
    const about = cases[name];
    if (about === undefined) throw new Error(name);
    const home = mkdtempSync(join(folder, "case-"));
    for (const [path, contents] of Object.entries(about.files)) {
      mkdirSync(dirname(join(home, path)), { recursive: true });
      writeFileSync(join(home, path), contents);
    }
    const env = {
      HOME: home,
      KUBECONFIG:
        about.KUBECONFIG?.replaceAll("%", home).replaceAll("@", relative(process.cwd(), home)) ?? "",
      KUBERNETES_SERVICE_HOST: undefined,
    };
    const path = about.kubeconfig?.replaceAll("%", home);
    const args = [
      ...(path === undefined ? [] : ["--kubeconfig", path]),
      ...(about.context === undefined ? [] : ["--context", about.context]),
    ];
    const kubectl = await run(
      process.env.MODELSWITCH_TEST_KUBECTL ?? "kubectl",
      [...args, "config", "view", "--minify", "--flatten", "--raw", "-o", "json"],
      { env, cwd: process.cwd() },
    );
    const source = {
      ...(path === undefined ? {} : { path }),
      ...(about.context === undefined ? {} : { context: about.context }),
    };
    const ours = chosen(source, env);
    if (kubectl.exitCode !== 0) {
      expect(ours, kubectl.stderr).toBe("refused");
      return;
    }
    expect(ours).toEqual(asChosen(JSON.parse(kubectl.stdout) as Fields));
  });
});

/** What we choose, in the form of `asChosen`. */
function chosen(source: KubeconfigSource, env: Readonly<Record<string, string | undefined>>): unknown {
  try {
    const found = chosenCluster(source, env);
    const { context, namespace, cluster, user } = found;
    return whyUnusable(found, () => true) === undefined
      ? { context, namespace, cluster: flattened(cluster), user: flattened(user) }
      : "refused";
  } catch (error) {
    if (error instanceof UserError && error.exitCode === 2) return "refused";
    throw error;
  }
}

function asChosen(config: Fields): unknown {
  const first = (list: string, key: string) =>
    ((config[list] as Fields[] | null)?.[0]?.[key] ?? {}) as Fields;
  return {
    context: config["current-context"],
    namespace: first("contexts", "context").namespace,
    cluster: first("clusters", "cluster"),
    user: first("users", "user"),
  };
}

/** With the contents of files in place of their paths, as `--flatten` has it. */
function flattened(fields: Readonly<Fields>): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) =>
      ["certificate-authority", "client-certificate", "client-key"].includes(name)
        ? [`${name}-data`, readFileSync(String(value)).toString("base64")]
        : [name, value],
    ),
  );
}
