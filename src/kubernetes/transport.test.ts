import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createAuthority, issueCertificate } from "../../packages/local-cluster/src/cluster/certificates.ts";
import { connectProxy, socksProxy, type TestProxy } from "../../test/support/proxies.ts";
import { connect } from "./connect.ts";

const own = await createAuthority("transport test", new Date());
const issued = await issueCertificate(own, {
  subject: { commonName: "api" },
  serverNames: ["127.0.0.1", "api.behind-the-proxy.test"],
  validFrom: new Date(),
});
const certificate = { cert: issued.certificate, key: issued.key };
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
  vi.unstubAllEnvs();
});

/** An API server; `requests` are what came. */
async function apiServer(tls: boolean, statusOf: (request: IncomingMessage) => number = () => 200) {
  const requests: IncomingMessage[] = [];
  const listener = (request: IncomingMessage, response: ServerResponse) => {
    requests.push(request);
    response.writeHead(statusOf(request)).end('{"gitVersion":"v1"}');
  };
  const server = tls ? createTlsServer(certificate, listener) : createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { requests, port: (server.address() as AddressInfo).port };
}

function kubeconfig(cluster: object, user: object = {}): string {
  return JSON.stringify({
    clusters: [{ name: "c", cluster }],
    users: [{ name: "u", user }],
    contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
    "current-context": "c",
  });
}

function closed(proxy: TestProxy): TestProxy {
  closing.push(proxy.close);
  return proxy;
}

const version = { method: "GET", path: "/version", timeoutMs: 10_000 } as const;
const authority = Buffer.from(own.certificate).toString("base64");

describe("the API server through a proxy", () => {
  test.each([true, false])("that the environment names (TLS: %s)", async (tls) => {
    const api = await apiServer(tls);
    const proxy = closed(await connectProxy({ port: api.port }));
    vi.stubEnv(tls ? "https_proxy" : "http_proxy", `http://ada:geheim@127.0.0.1:${proxy.port}`);
    vi.stubEnv("no_proxy", "");
    // A name that only the proxy knows.
    const server = `${tls ? "https" : "http"}://api.behind-the-proxy.test:6443`;
    const contents = kubeconfig({ server, ...(tls ? { "certificate-authority-data": authority } : {}) });
    expect((await connect({ contents }).api.request(version)).status).toBe(200);
    expect(proxy.asked).toEqual(["api.behind-the-proxy.test:6443"]);
    expect(proxy.credentials).toEqual([`Basic ${Buffer.from("ada:geheim").toString("base64")}`]);
  });

  test("but loopback never, and what NO_PROXY names", async () => {
    const api = await apiServer(true);
    vi.stubEnv("https_proxy", "http://127.0.0.1:1");
    const contents = kubeconfig({
      server: `https://127.0.0.1:${api.port}`,
      "certificate-authority-data": authority,
    });
    expect((await connect({ contents }).api.request(version)).status).toBe(200);
  });

  test.each(["http", "socks5"] as const)("that the kubeconfig names: %s", async (scheme) => {
    const api = await apiServer(true);
    const proxy = closed(await (scheme === "http" ? connectProxy() : socksProxy()));
    vi.stubEnv("HTTPS_PROXY", "http://127.0.0.1:1");
    const contents = kubeconfig({
      server: `https://127.0.0.1:${api.port}`,
      "certificate-authority-data": authority,
      "proxy-url": `${scheme}://127.0.0.1:${proxy.port}`,
    });
    expect((await connect({ contents }).api.request(version)).status).toBe(200);
    expect(proxy.asked).toEqual([`127.0.0.1:${api.port}`]);
  });

  test("one that is down is named, without its password; one of an unknown kind is refused", async () => {
    const cluster = { server: "https://api.behind-the-proxy.test" };
    const down = kubeconfig({ ...cluster, "proxy-url": "http://ada:geheim@127.0.0.1:1" });
    const error: unknown = await connect({ contents: down })
      .api.request(version)
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "cluster-unreachable",
      message: expect.stringContaining("through the proxy http://127.0.0.1:1"),
      hint: expect.stringContaining("NO_PROXY"),
    });
    expect(String(error)).not.toContain("geheim");
    const odd = kubeconfig({ ...cluster, "proxy-url": "ftp://proxy" });
    expect(() => connect({ contents: odd })).toThrow("must begin with http://, https:// or socks5://");
  });
});

describe("what a request to the API server says of the user", () => {
  const request = async (user: object) => {
    const api = await apiServer(true);
    const contents = kubeconfig(
      { server: `https://127.0.0.1:${api.port}`, "certificate-authority-data": authority },
      user,
    );
    await connect({ contents }).api.request(version);
    return api.requests[0]?.headers;
  };

  test("a token; or name and password", async () => {
    expect(await request({ token: "t" })).toMatchObject({ authorization: "Bearer t" });
    const basic = `Basic ${Buffer.from("ada:pw").toString("base64")}`;
    expect(await request({ username: "ada", password: "pw" })).toMatchObject({ authorization: basic });
  });

  const plugged = (script: string) => ({
    exec: {
      apiVersion: "client.authentication.k8s.io/v1",
      command: "/bin/sh",
      args: ["-c", script],
      interactiveMode: "Never",
    },
  });
  const token = (name: string, expires?: string) =>
    `'${JSON.stringify({
      kind: "ExecCredential",
      apiVersion: "client.authentication.k8s.io/v1",
      status: { token: name, ...(expires === undefined ? {} : { expirationTimestamp: expires }) },
    })}'`;

  test("what a plug-in gives; it is asked once more where that is refused", async () => {
    const api = await apiServer(true, ({ headers }) => (headers.authorization === "Bearer new" ? 200 : 401));
    const folder = mkdtempSync(join(tmpdir(), "modelswitch-plugged-"));
    closing.push(() => rmSync(folder, { recursive: true }));
    const script = `cd ${folder}; if [ -e old ]; then echo ${token("new")}; else touch old; echo ${token("old")}; fi`;
    const contents = kubeconfig(
      { server: `https://127.0.0.1:${api.port}`, "certificate-authority-data": authority },
      plugged(script),
    );
    expect((await connect({ contents }).api.request(version)).status).toBe(200);
    expect(api.requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer old", "Bearer new"]);
  });

  test("a plug-in that has worked and fails later is an API server that cannot be asked, which is waited for", async () => {
    const api = await apiServer(true);
    const folder = mkdtempSync(join(tmpdir(), "modelswitch-plugged-"));
    closing.push(() => rmSync(folder, { recursive: true }));
    const script = `cd ${folder}; [ ! -e used ] || { echo 'SSO is away' >&2; exit 1; }; touch used; echo ${token("t", "2001-01-01T00:00:00Z")}`;
    const contents = kubeconfig(
      { server: `https://127.0.0.1:${api.port}`, "certificate-authority-data": authority },
      plugged(script),
    );
    const connection = connect({ contents });
    expect((await connection.api.request(version)).status).toBe(200);
    await expect(connection.api.request(version)).rejects.toMatchObject({
      code: "cluster-unreachable",
      message: expect.stringContaining("SSO is away"),
    });
    await expect(connect({ contents }).api.request(version)).rejects.toMatchObject({
      code: "credential-plugin-failed",
    });
  });

  test("whom it acts as, with groups and more", async () => {
    const user = {
      token: "t",
      as: "system:serviceaccount:ml:deployer",
      "as-uid": "42",
      "as-groups": ["a", "b"],
      "as-user-extra": { "example.com/Scope": ["x"] },
    };
    expect(await request(user)).toMatchObject({
      "impersonate-user": "system:serviceaccount:ml:deployer",
      "impersonate-uid": "42",
      "impersonate-group": "a, b",
      "impersonate-extra-example.com%2fscope": "x",
    });
  });

  test("nothing over plain HTTP, as kubectl", async () => {
    const api = await apiServer(false);
    const contents = kubeconfig({ server: `http://127.0.0.1:${api.port}` }, { token: "geheim" });
    await connect({ contents }).api.request(version);
    expect(api.requests[0]?.headers.authorization).toBeUndefined();
  });

  test("a path in front of the API is kept", async () => {
    const api = await apiServer(true);
    const server = `https://127.0.0.1:${api.port}/k8s/clusters/c-1/`;
    const contents = kubeconfig({ server, "certificate-authority-data": authority });
    await connect({ contents }).api.request(version);
    expect(api.requests[0]?.url).toBe("/k8s/clusters/c-1/version");
  });
});

test.each<[object, object, string]>([
  [{ server: "https://a", "certificate-authority": "/not/there" }, {}, "/not/there"],
  [
    { server: "https://a", "insecure-skip-tls-verify": true, "certificate-authority-data": "YQ==" },
    {},
    "exclude each other",
  ],
  [{ server: "ftp://a" }, {}, "neither an http:// nor an https://"],
  [{}, {}, "has no server"],
  [{ server: "https://a" }, { token: "geheim", username: "ada" }, "exclude each other"],
  [{ server: "https://a" }, { "client-certificate-data": "YQ==" }, "no client-key"],
  [{ server: "https://a" }, { tokenFile: "/not/there" }, "/not/there"],
  [{ server: "https://a" }, { "as-groups": ["x"] }, 'need "as"'],
  [
    { server: "https://a" },
    { exec: { command: "aws", apiVersion: "client.authentication.k8s.io/v1alpha1" } },
    "v1alpha1",
  ],
  [
    { server: "https://a" },
    { exec: { command: "aws", apiVersion: "client.authentication.k8s.io/v1" } },
    "interactiveMode",
  ],
])("what kubectl refuses is refused before anything is sent: %j %j", (cluster, user, part) => {
  const refused = () => connect({ contents: kubeconfig(cluster, user) });
  expect(refused).toThrow(part);
  expect(refused).not.toThrow("geheim");
});
