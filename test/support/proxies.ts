import { createServer as createHttpServer, request as forward } from "node:http";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/** A small forward proxy on loopback, and what it was asked for. */
export interface TestProxy {
  readonly port: number;
  /** `host:port` of each connection that was asked for. */
  readonly asked: readonly string[];
  /** Values of Proxy-Authorization. */
  readonly credentials: readonly string[];
  close(): void;
}

/** `target` replaces names that nobody but the proxy knows. */
export async function connectProxy(target?: { readonly port: number }): Promise<TestProxy> {
  const asked: string[] = [];
  const credentials: string[] = [];
  const server = createHttpServer((request, response) => {
    const { host, hostname, port, pathname, search } = new URL(request.url ?? "", "http://nobody");
    asked.push(host);
    const given = request.headers["proxy-authorization"];
    if (given !== undefined) credentials.push(given);
    const to = target ?? { hostname, port: Number(port || 80) };
    const forwarded = forward({ ...to, path: pathname + search, method: request.method }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    forwarded.on("error", () => response.writeHead(502).end());
    request.pipe(forwarded);
  });
  server.on("connect", (request, socket: Socket) => {
    asked.push(request.url ?? "");
    const given = request.headers["proxy-authorization"];
    if (given !== undefined) credentials.push(given);
    const [host = "", port = ""] = (request.url ?? "").split(":");
    join(socket, target ?? { host, port: Number(port) }, () =>
      socket.write("HTTP/1.1 200 Connected\r\n\r\n"),
    );
  });
  return await started(server, asked, credentials);
}

/** SOCKS5 without credentials (RFC 1928). */
export async function socksProxy(target?: { readonly port: number }): Promise<TestProxy> {
  const asked: string[] = [];
  const server = createServer((socket) => {
    socket.once("data", () => {
      socket.write(Buffer.from([5, 0]));
      socket.once("data", (request) => {
        const [host, rest] =
          request[3] === 3
            ? [request.subarray(5, 5 + (request[4] ?? 0)).toString(), 5 + (request[4] ?? 0)]
            : [[...request.subarray(4, 8)].join("."), 8];
        const port = request.readUInt16BE(rest);
        asked.push(`${host}:${port}`);
        join(socket, target ?? { host, port }, () =>
          socket.write(Buffer.from([5, 0, 0, 1, 127, 0, 0, 1, 0, 0])),
        );
      });
    });
    socket.on("error", () => {});
  });
  return await started(server, asked, []);
}

function join(
  socket: Socket,
  to: { readonly host?: string; readonly port: number },
  begin: () => void,
): void {
  const upstream = connect(to.port, to.host ?? "127.0.0.1", () => {
    begin();
    upstream.pipe(socket);
    socket.pipe(upstream);
  });
  upstream.on("error", () => socket.destroy());
  socket.on("error", () => upstream.destroy());
  socket.on("close", () => upstream.destroy());
}

async function started(server: Server, asked: string[], credentials: string[]): Promise<TestProxy> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    credentials,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
