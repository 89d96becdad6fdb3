import { describe, expect, test } from "vitest";
import { chooseCluster, minified } from "./choose.ts";
import { filesNamed, loadFiles } from "./load.ts";
import { KubeconfigProblem } from "./parse.ts";

/** Files by their paths. */
function reading(files: Readonly<Record<string, string | Uint8Array>>) {
  return (path: string): Uint8Array | undefined => {
    const found = files[path];
    return typeof found === "string" ? new TextEncoder().encode(found) : found;
  };
}

const cluster = (name: string, server = `https://${name}`, more = "") =>
  `clusters:\n- name: ${name}\n  cluster: {server: "${server}"${more}}\n`;
const context = (name: string, of = name) =>
  `contexts:\n- name: ${name}\n  context: {cluster: ${of}, user: ${of}}\n`;

describe("the files of KUBECONFIG", () => {
  test.each([
    ["/a:/b", ":", ["/a", "/b"]],
    [":/a::/b:/a", ":", ["/a", "/b"]],
    ["C:\\a;D:\\b", ";", ["C:\\a", "D:\\b"]],
    ["", ":", []],
  ])("%j with %j", (variable, delimiter, expected) => {
    expect(filesNamed(variable, delimiter)).toEqual(expected);
  });
});

describe("files are merged as client-go merges them", () => {
  test("the first that sets the current context, or a name, wins; missing and empty ones count for nothing", () => {
    const { config, files } = loadFiles(
      ["/gone", "/empty", "/1", "/2"],
      reading({
        "/empty": "",
        "/1": cluster("a", "https://first") + context("a"),
        // Even what the first does not say of `a` is not taken from here.
        "/2": `current-context: a\n${cluster("a", "https://second", ", tls-server-name: x")}${context("b", "a")}`,
      }),
    );
    expect(files).toEqual(["/empty", "/1", "/2"]);
    expect(config.currentContext).toBe("a");
    expect(config.clusters.get("a")?.fields).toEqual({ server: "https://first" });
    expect([...config.contexts.keys()].sort()).toEqual(["a", "b"]);
  });

  test("a context of one file may name a cluster of another", () => {
    const { config } = loadFiles(["/1", "/2"], reading({ "/1": context("x", "a"), "/2": cluster("a") }));
    expect(chooseCluster(config, { context: "x" })).toMatchObject({
      kind: "chosen",
      chosen: { cluster: { server: "https://a" } },
    });
  });

  test("relative paths start at the file that has them; only a command with a slash is a path", () => {
    const user = (name: string, command: string) =>
      `users:\n- name: ${name}\n  user: {client-key: key.pem, tokenFile: /abs/token, exec: {command: ${command}}}\n`;
    const { config } = loadFiles(
      ["/home/ada/.kube/one", "/srv/two"],
      reading({
        "/home/ada/.kube/one":
          cluster("a", "https://a", ", certificate-authority: pki/ca.crt") + user("u", "aws"),
        "/srv/two": user("v", "./bin/login"),
      }),
    );
    expect(config.clusters.get("a")?.fields["certificate-authority"]).toBe("/home/ada/.kube/pki/ca.crt");
    expect(config.users.get("u")?.fields).toMatchObject({
      "client-key": "/home/ada/.kube/key.pem",
      tokenFile: "/abs/token",
      exec: { command: "aws" },
    });
    expect(config.users.get("v")?.fields).toMatchObject({ exec: { command: "/srv/bin/login" } });
  });
});

describe("a kubeconfig as editors and programs write it", () => {
  const whole = `${cluster("a")}${context("a")}current-context: a\n`;
  const utf16 = (text: string) => Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, "utf16le")]);
  test.each<[string, string | Uint8Array]>([
    ["YAML", whole],
    ["with a byte order mark", `\uFEFF${whole}`],
    ["UTF-16", utf16(whole)],
    ["with CRLF", whole.replaceAll("\n", "\r\n")],
    [
      "JSON",
      JSON.stringify({
        clusters: [{ name: "a", cluster: { server: "https://a" } }],
        contexts: [{ name: "a", context: { cluster: "a" } }],
        "current-context": "a",
      }),
    ],
    [
      "with a merge key",
      `x: &base {server: "https://a"}\nclusters:\n- name: a\n  cluster:\n    <<: *base\n${context("a")}current-context: a`,
    ],
  ])("%s", (_what, contents) => {
    const { config } = loadFiles(["/k"], reading({ "/k": contents }));
    expect(chooseCluster(config, {})).toMatchObject({
      kind: "chosen",
      chosen: { cluster: { server: "https://a" } },
    });
  });

  test.each<[string, string | Uint8Array, string]>([
    [
      "a number as a token",
      "users:\n- name: u\n  user: {token: 123456}\n",
      "users[0].user.token is a number",
    ],
    ["YAML 1.1's yes", "contexts:\n- name: yes\n", "contexts[0].name is a boolean"],
    ["two of a name", `${cluster("a")}- name: a\n  cluster: {}\n`, 'two clusters with the name "a"'],
    ["a kind of its own", "kind: Pod\n", 'its kind is "Pod"'],
    ["no mapping", "- a\n", "it is a list"],
    ["clusters by name", "clusters: {a: {}}\n", "its clusters are a mapping"],
    ["no text", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0]), "NUL"],
    ["Latin-1", Buffer.from("a: caf\xe9\n", "latin1"), "not UTF-8: line 1"],
  ])("%s is refused in words, with the file", (_what, contents, part) => {
    const load = () => loadFiles(["/k"], reading({ "/k": contents }));
    expect(load).toThrow(KubeconfigProblem);
    expect(load).toThrow(part);
    expect(load).toThrow("/k");
  });
});

test("a minified kubeconfig names nothing but the chosen cluster", () => {
  const { config } = loadFiles(
    ["/k"],
    reading({
      "/k": `current-context: a\n${cluster("a")}- name: b\n  cluster: {server: "https://b"}\n${context("a")}- name: b\n  context: {cluster: b, user: a, namespace: ml}\nusers: [{name: a, user: {token: t}}, {name: z, user: {token: z}}]`,
    }),
  );
  const choice = chooseCluster(config, { context: "b" });
  if (choice.kind !== "chosen") throw new Error(choice.kind);
  expect(JSON.parse(minified(choice.chosen))).toEqual({
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "b", cluster: { server: "https://b" } }],
    users: [{ name: "a", user: { token: "t" } }],
    contexts: [{ name: "b", context: { cluster: "b", user: "a", namespace: "ml" } }],
    "current-context": "b",
  });
});
