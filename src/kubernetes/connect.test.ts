import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { UserError } from "../core/errors.ts";
import { connect } from "./connect.ts";

/** An API server that answers every request in this way. */
async function withServer<T>(
  answer: (response: ServerResponse) => void,
  work: (kubeconfig: string) => Promise<T>,
): Promise<T> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kubeconfig = {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "test", cluster: { server: url, "insecure-skip-tls-verify": true } }],
    users: [{ name: "test", user: {} }],
    contexts: [{ name: "test", context: { cluster: "test", user: "test", namespace: "ml" } }],
    "current-context": "test",
  };
  try {
    return await work(JSON.stringify(kubeconfig));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const begin = (response: ServerResponse) => {
  response.writeHead(200, { "content-length": "100" });
  response.write("{");
};

test("sends to the context's server, and parses what it answers", async () => {
  await withServer(
    (response) => response.end('{"kind":"Pod"}'),
    async (contents) => {
      const { api, namespace, context } = connect({ contents });
      expect({ namespace, context }).toEqual({ namespace: "ml", context: "test" });
      expect(await api.find("/api/v1/namespaces/ml/pods/one")).toEqual({ kind: "Pod" });
    },
  );
});

test("an answer that is cut off is told as a cluster that can't be reached", async () => {
  await withServer(
    (response) => {
      begin(response);
      setTimeout(() => response.destroy(), 50);
    },
    async (contents) => {
      await expect(connect({ contents }).api.find("/api/v1/nodes")).rejects.toMatchObject({
        code: "cluster-unreachable",
      });
    },
  );
});

test("an answer that does not end in time is told as a cluster that can't be reached", async () => {
  await withServer(begin, async (contents) => {
    const { api } = connect({ contents });
    await expect(api.request({ method: "GET", path: "/api/v1/nodes", timeoutMs: 200 })).rejects.toMatchObject(
      { code: "cluster-unreachable" },
    );
  });
});

test("of an answer without an end only the beginning is read, where it is said how much", async () => {
  let closed = false;
  await withServer(
    (response) => {
      response.writeHead(200);
      response.on("close", () => {
        closed = true;
      });
      const more = () => {
        while (!response.destroyed && response.write("x".repeat(10_000)));
      };
      response.on("drain", more);
      more();
    },
    async (contents) => {
      const { api } = connect({ contents });
      const answer = await api.request({ method: "GET", path: "/api/v1/x/proxy/", maxBytes: 25_000 });
      expect(answer).toMatchObject({ status: 200, truncated: true, body: "x".repeat(25_000) });
      await expect.poll(() => closed).toBe(true);
    },
  );
});

test("an answer that is as large as is read is whole", async () => {
  await withServer(
    (response) => response.end("xyz"),
    async (contents) => {
      const { api } = connect({ contents });
      const answer = await api.request({ method: "GET", path: "/", maxBytes: 3 });
      expect(answer.body).toBe("xyz");
      expect(answer.truncated).toBeUndefined();
    },
  );
});

test("an abort while the answer comes is told as an interruption", async () => {
  const stop = new AbortController();
  await withServer(
    (response) => {
      begin(response);
      setTimeout(() => stop.abort(), 50);
    },
    async (contents) => {
      const { api } = connect({ contents });
      await expect(
        api.request({ method: "GET", path: "/api/v1/nodes", signal: stop.signal }),
      ).rejects.toMatchObject({ code: "interrupted", exitCode: 130 });
    },
  );
});

test.each([
  ["users:\n- name: u\n  user:\n    token: geheim\n   more: x\n", "(5:"],
  ['{"users":[{"user":{"token":"geheim"}},}', "1:"],
  ["token: *geheim\n", "1:"],
])("a kubeconfig that cannot be parsed is not quoted: %j", (contents, place) => {
  try {
    connect({ contents });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error).toMatchObject({ code: "kubeconfig-invalid", exitCode: 2 });
    expect(error.message).toContain(place);
    expect(`${error.message} ${error.hint} ${error.stack} ${error.cause}`).not.toContain("geheim");
    return;
  }
  throw new Error("It was read.");
});
