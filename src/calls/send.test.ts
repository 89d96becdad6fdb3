import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, test } from "vitest";
import { receiver } from "../../test/support/receiver.ts";
import { sender } from "./send.ts";

const never = new AbortController().signal;
const about = { headers: {}, body: "{}", timeoutMs: 20_000, signal: never };

/** A proxy that notes what it is asked for, and refuses it. */
async function proxy() {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(String(request.url));
    response.writeHead(403).end();
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url, asked, close: () => new Promise((resolve) => server.close(resolve)) };
}

test("other machines are reached through the proxy, this one never", async () => {
  const { url, asked, close } = await proxy();
  const own = await receiver({ status: 200, body: "here" });
  const send = sender({ HTTPS_PROXY: url, HTTP_PROXY: url });
  await expect(send({ ...about, url: "https://events.example.invalid/hush" })).rejects.toThrow("no answer");
  expect(asked).toEqual(["CONNECT events.example.invalid:443"]);
  expect(await send({ ...about, url: own.url })).toEqual({ status: 200, body: "here" });
  expect(asked).toHaveLength(1);
  const direct = sender({ HTTPS_PROXY: url, NO_PROXY: "events.example.invalid" });
  await expect(direct({ ...about, url: "https://events.example.invalid/hush" })).rejects.toThrow("no answer");
  expect(asked).toHaveLength(1);
  await close();
});

test("of an endless answer the beginning is taken", async () => {
  const server = createServer((_request, response) => {
    response.on("error", () => undefined);
    const more = () => {
      while (response.write("x".repeat(10_000)));
    };
    response.on("drain", more);
    more();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { body } = await sender({})({ ...about, url });
  expect(body).toHaveLength(64 * 1024);
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});
