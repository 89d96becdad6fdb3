import { createHash } from "node:crypto";
import { mkdtemp, readFile } from "node:fs/promises";
import { createServer, request as forward, type RequestListener, type Server } from "node:http";
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

/** A proxy that forwards and tunnels to loopback, and refuses everything else. */
async function startProxy(): Promise<{
  url: string;
  asked: string[];
  authorizations: (string | undefined)[];
}> {
  const asked: string[] = [];
  const authorizations: (string | undefined)[] = [];
  const { server, url } = await serve((incoming, response) => {
    asked.push(`${incoming.method} ${incoming.url}`);
    authorizations.push(incoming.headers["proxy-authorization"]);
    const upstream = forward(incoming.url ?? "", (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    upstream.on("error", () => response.destroy());
    upstream.end();
  });
  server.on("connect", (request, socket) => {
    asked.push(`CONNECT ${request.url}`);
    authorizations.push(request.headers["proxy-authorization"]);
    const { hostname, port } = new URL(`http://${request.url}`);
    socket.on("error", () => undefined);
    if (hostname !== "127.0.0.1") {
      socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
      return;
    }
    const upstream = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on("error", () => socket.destroy());
  });
  return { url, asked, authorizations };
}

const releasePage = "https://releases.example.invalid";

test("downloads through the proxy that HTTP_PROXY names", async () => {
  const { url } = await release(whole);
  const proxy = await startProxy();
  await downloadVerified(filesAt(url), context({ env: { HTTP_PROXY: proxy.url } }));
  expect((await readFile(target)).equals(contents)).toBe(true);
  expect(proxy.asked.length).toBeGreaterThan(0);
  for (const line of proxy.asked) expect(line).toContain("127.0.0.1");
});

test.each(["HTTPS_PROXY", "https_proxy"])(
  "asks the proxy of %s for what is at https, and says when it refuses",
  async (name) => {
    const proxy = await startProxy();
    // A proxy for HTTP alone is not asked.
    const env = { [name]: proxy.url, HTTP_PROXY: "http://127.0.0.1:9" };
    await expect(downloadVerified(filesAt(releasePage), context({ env }))).rejects.toThrow(
      `${releasePage}/SHA256SUMS: `,
    );
    expect(new Set(proxy.asked)).toEqual(new Set(["CONNECT releases.example.invalid:443"]));
  },
);

test("NO_PROXY goes around the proxy, by address, host and domain", async () => {
  const { url } = await release(whole);
  const proxy = await startProxy();
  const env = { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url };
  await downloadVerified(filesAt(url), context({ env: { ...env, NO_PROXY: "127.0.0.1" } }));
  for (const none of ["releases.example.invalid", ".example.invalid", "*"]) {
    // Nobody resolves this name: without the proxy it can't be reached.
    await expect(
      downloadVerified(filesAt(releasePage), context({ env: { ...env, NO_PROXY: none } })),
    ).rejects.toThrow(`${releasePage}/SHA256SUMS: `);
  }
  expect(proxy.asked).toEqual([]);
});

test("without proxy variables in its environment it asks none", async () => {
  const { url } = await release(whole);
  const proxy = await startProxy();
  const before = process.env.HTTP_PROXY;
  process.env.HTTP_PROXY = proxy.url;
  try {
    await downloadVerified(filesAt(url), context());
  } finally {
    if (before === undefined) delete process.env.HTTP_PROXY;
    else process.env.HTTP_PROXY = before;
  }
  expect(proxy.asked).toEqual([]);
});

test("a proxy's password goes to the proxy, and into no message", async () => {
  const { url } = await release((_, response) => response.writeHead(404).end());
  const proxy = await startProxy();
  const withPassword = proxy.url.replace("http://", "http://user:hush@");
  const failure = await downloadVerified(filesAt(url), context({ env: { HTTP_PROXY: withPassword } })).catch(
    (error: unknown) => String(error),
  );
  expect(failure).toContain("HTTP status 404");
  expect(failure).not.toContain("hush");
  const expected = `Basic ${Buffer.from("user:hush").toString("base64")}`;
  expect(new Set(proxy.authorizations)).toEqual(new Set([expected]));
});

test("a proxy that nobody runs is an error, not a way around it", async () => {
  const { url } = await release(whole);
  const { server, url: proxy } = await serve(whole);
  await new Promise((resolve) => server.close(resolve));
  await expect(downloadVerified(filesAt(url), context({ env: { HTTP_PROXY: proxy } }))).rejects.toThrow(
    /SHA256SUMS: /,
  );
});
