import { createHash } from "node:crypto";
import { mkdtemp, readFile } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { downloadVerified } from "./download.ts";
import type { ToolContext } from "./source.ts";

const contents = Buffer.alloc(300_000, "modelswitch");
const checksum = createHash("sha256").update(contents).digest("hex");

let target = "";
let servers: Server[] = [];

beforeEach(async () => {
  target = join(await mkdtemp(join(tmpdir(), "download-")), "file");
});

afterEach(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});

async function serve(listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A release with one file; `file` answers for it. */
const release = (file: RequestListener, sums = `${checksum}  tool.tar.gz\n`) =>
  serve((request, response) => {
    if (request.url === "/SHA256SUMS") response.end(sums);
    else file(request, response);
  });

const whole: RequestListener = (_, response) => {
  response.writeHead(200, { "content-length": contents.length });
  response.end(contents);
};

function context(more: Partial<ToolContext> = {}): ToolContext {
  return {
    cacheFolder: "/nowhere",
    platform: { os: "linux", cpu: "x64" },
    env: {},
    signal: new AbortController().signal,
    progress: () => {},
    ...more,
  };
}

const filesAt = (url: string) => [{ url: `${url}/tool.tar.gz`, checksumUrl: `${url}/SHA256SUMS`, target }];

test("downloads a file, reporting bytes of all", async () => {
  const { url } = await release(whole);
  const seen: unknown[] = [];
  await downloadVerified(filesAt(url), context({ progress: (update) => seen.push(update.progress) }));
  expect((await readFile(target)).equals(contents)).toBe(true);
  expect(seen.at(-1)).toEqual({ done: contents.length, total: contents.length, unit: "bytes" });
});

test("follows redirects, as release pages do", async () => {
  const { url: storage } = await serve(whole);
  const { url } = await release((_, response) => {
    response.writeHead(302, { location: `${storage}/object?token=1` }).end();
  });
  await downloadVerified(filesAt(url), context());
  expect((await readFile(target)).equals(contents)).toBe(true);
});

test("a wrong checksum is refused, naming both", async () => {
  const { url } = await release(whole, `${"0".repeat(64)}  tool.tar.gz\n`);
  await expect(downloadVerified(filesAt(url), context())).rejects.toThrow(
    `${url}/tool.tar.gz has the SHA-256 ${checksum}, and ${url}/SHA256SUMS says ${"0".repeat(64)}: it was not used`,
  );
});

test("a file without a published checksum is refused", async () => {
  const { url } = await release(whole, `${checksum}  other.tar.gz\n`);
  await expect(downloadVerified(filesAt(url), context())).rejects.toThrow("has no checksum of tool.tar.gz");
});

test("an HTTP error is named, and not retried", async () => {
  let requests = 0;
  const { url } = await release((_, response) => {
    requests += 1;
    response.writeHead(404).end("no such release");
  });
  await expect(downloadVerified(filesAt(url), context())).rejects.toThrow(
    `${url}/tool.tar.gz: HTTP status 404`,
  );
  expect(requests).toBe(1);
});

test("a connection that is cut is tried once more", async () => {
  let requests = 0;
  const { url } = await release((request, response) => {
    requests += 1;
    if (requests === 2) return whole(request, response);
    response.writeHead(200, { "content-length": contents.length });
    response.write(contents.subarray(0, 1000), () => response.destroy());
  });
  await downloadVerified(filesAt(url), context());
  expect((await readFile(target)).equals(contents)).toBe(true);
  expect(requests).toBe(2);
});

test("a connection that is cut again and again is an error", async () => {
  let requests = 0;
  const { url } = await release((_, response) => {
    requests += 1;
    response.writeHead(200, { "content-length": contents.length });
    response.write(contents.subarray(0, 1000), () => response.destroy());
  });
  await expect(downloadVerified(filesAt(url), context())).rejects.toThrow(`${url}/tool.tar.gz: `);
  expect(requests).toBe(2);
});

test("a silent server is given up", async () => {
  const { url } = await release(() => {});
  await expect(downloadVerified(filesAt(url), context(), { silenceMs: 100 })).rejects.toThrow(
    /tool.tar.gz: .*Timeout/,
  );
});

test("the whole has a deadline", async () => {
  const { url } = await release(() => {});
  await expect(downloadVerified(filesAt(url), context(), { totalMs: 60 })).rejects.toThrow(
    "the download took longer than 0.001 minutes",
  );
});

test("an address that nobody listens at is said", async () => {
  const { url, server } = await serve(whole);
  await new Promise((resolve) => server.close(resolve));
  await expect(downloadVerified(filesAt(url), context())).rejects.toThrow(/SHA256SUMS: .*ECONNREFUSED/);
});

test("aborting ends a download", async () => {
  const controller = new AbortController();
  const { url } = await release(() => controller.abort());
  await expect(downloadVerified(filesAt(url), context({ signal: controller.signal }))).rejects.toMatchObject({
    code: "interrupted",
  });
});

test("the proxy of the environment is used, and NO_PROXY goes around it", async () => {
  const { url } = await release(whole);
  const asked: string[] = [];
  const { server, url: proxy } = await serve((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(502).end();
  });
  server.on("connect", (request, socket) => {
    asked.push(request.url ?? "");
    const { hostname, port } = new URL(`http://${request.url}`);
    const upstream = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
  });
  const env = { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
  await downloadVerified(filesAt(url), context({ env: { ...env, NO_PROXY: "127.0.0.1" } }));
  expect(asked).toEqual([]);
  // Whether this proxy tunnels or forwards, it is asked; the answer does not matter here.
  await downloadVerified(filesAt(url), context({ env })).catch(() => undefined);
  expect(asked.length).toBeGreaterThan(0);
});
