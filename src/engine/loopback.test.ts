import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import { withoutProxyOnLoopback } from "./loopback.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

test("nothing is set where no proxy is named, and what the user excepted stays excepted", () => {
  expect(withoutProxyOnLoopback({ no_proxy: "corp" })).toEqual({});
  const names = (env: Record<string, string>) => withoutProxyOnLoopback({ https_proxy: "http://p", ...env });
  expect(names({})).toEqual({ no_grpc_proxy: "localhost,127.0.0.1,::1" });
  expect(names({ no_proxy: "corp, 127.0.0.1" })).toEqual({ no_grpc_proxy: "corp,127.0.0.1,localhost,::1" });
  expect(names({ no_proxy: "corp", no_grpc_proxy: "x" })).toEqual({
    no_grpc_proxy: "x,localhost,127.0.0.1,::1",
  });
});

test("a channel on loopback goes past a proxy that is down", async () => {
  const server = new Server();
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  vi.stubEnv("https_proxy", "http://127.0.0.1:1");
  const isReady = async () => {
    const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
    const error = await new Promise((resolve) => client.waitForReady(Date.now() + 1_500, resolve));
    client.close();
    return error === undefined;
  };
  try {
    vi.stubEnv("no_grpc_proxy", "");
    expect(await isReady()).toBe(false);
    for (const [name, value] of Object.entries(withoutProxyOnLoopback(process.env))) vi.stubEnv(name, value);
    expect(await isReady()).toBe(true);
  } finally {
    server.forceShutdown();
  }
});
