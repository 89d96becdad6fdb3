import { once } from "node:events";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, request as httpsRequest } from "node:https";
import type { AddressInfo } from "node:net";
import { parse } from "yaml";
import {
  type Credential,
  createAuthority,
  issueCertificate,
} from "../../packages/local-cluster/src/cluster/certificates.ts";
import type { Permission } from "../../src/core/permission-checks.ts";

/** A request to the API server, as its authorizer sees it, and what became of it. */
export interface Asked extends Permission {
  readonly namespace: string | undefined;
  readonly status: number;
}

/**
 * Stands on loopback between a command and the API server, notes what is asked for, and can refuse it in the API server's
 * own words. Credentials pass through: the API server decides about everything else.
 */
export class RecordingProxy {
  readonly asked: Asked[] = [];
  /** Refuses what this says. */
  deny: (permission: Permission) => boolean = () => false;
  /** What is answered in place of the API server, as JSON, for example what its cache would have known a while ago. */
  instead: (permission: Permission, url: URL) => string | undefined = () => undefined;
  /** How long a request waits before it is passed on, milliseconds. */
  hold: (permission: Permission) => number = () => 0;
  /** The PEM of the authority that its certificate is of: credentials go over TLS only. */
  readonly certificate: string;
  readonly #server: ReturnType<typeof createServer>;
  readonly #upstream: URL;
  readonly #authority: Buffer;

  private constructor(kubeconfigPath: string, authority: string, own: Credential) {
    const config = parse(readFileSync(kubeconfigPath, "utf8")) as {
      clusters: { cluster: { server: string; "certificate-authority-data": string } }[];
    };
    const cluster = config.clusters[0]?.cluster;
    if (cluster === undefined) throw new Error(`${kubeconfigPath} names no cluster.`);
    this.#upstream = new URL(cluster.server);
    this.#authority = Buffer.from(cluster["certificate-authority-data"], "base64");
    this.certificate = authority;
    this.#server = createServer({ cert: own.certificate, key: own.key }, (request, response) =>
      this.#pass(request, response),
    );
  }

  static async start(kubeconfigPath: string): Promise<RecordingProxy> {
    const validFrom = new Date();
    const authority = await createAuthority("recording-proxy-authority", validFrom);
    const own = await issueCertificate(authority, {
      subject: { commonName: "recording-proxy" },
      serverNames: ["127.0.0.1"],
      validFrom,
    });
    const proxy = new RecordingProxy(kubeconfigPath, authority.certificate, own);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #pass(request: IncomingMessage, response: ServerResponse): void {
    const permission = permissionOf(request.method ?? "GET", request.url ?? "/");
    if (permission !== undefined && this.deny(permission)) {
      this.asked.push({ ...permission, status: 403 });
      // Over TLS an answer before the end of the question looks like a broken connection.
      request.on("end", () => refuse(permission, response));
      request.resume();
      return;
    }
    const old = permission && this.instead(permission, new URL(request.url ?? "/", this.url));
    if (old !== undefined) {
      request.resume();
      response.writeHead(200, { "content-type": "application/json" });
      response.end(old);
      return;
    }
    const holdMs = permission === undefined ? 0 : this.hold(permission);
    if (holdMs > 0) setTimeout(() => this.#forward(request, response, permission), holdMs);
    else this.#forward(request, response, permission);
  }

  #forward(
    request: IncomingMessage,
    response: ServerResponse,
    permission: ReturnType<typeof permissionOf>,
  ): void {
    const { method, headers } = request;
    const upstream = httpsRequest(
      new URL(request.url ?? "/", this.#upstream),
      { ...(method === undefined ? {} : { method }), headers, ca: this.#authority },
      (answer) => {
        const status = answer.statusCode ?? 0;
        if (permission !== undefined) this.asked.push({ ...permission, status });
        // An apply that makes the object is asked for that right, too.
        if (permission?.verb === "patch" && status === 201) {
          const { name: _made, ...created } = permission;
          this.asked.push({ ...created, verb: "create", status });
        }
        response.writeHead(status, answer.headers);
        answer.pipe(response);
        answer.on("error", () => response.destroy());
      },
    );
    upstream.on("error", () => response.destroy());
    response.on("close", () => upstream.destroy());
    request.pipe(upstream);
  }
}

function refuse({ verb, group, resource, name, namespace }: Omit<Asked, "status">, response: ServerResponse) {
  const [plural = ""] = resource.split("/");
  const kind = group === "" ? plural : `${plural}.${group}`;
  const object = name === undefined ? kind : `${kind} "${name}"`;
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const message = `${object} is forbidden: User "somebody" cannot ${verb} resource "${resource}" in API group "${group}" ${where}`;
  response.writeHead(403, { "content-type": "application/json" });
  const status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" };
  response.end(JSON.stringify({ ...status, reason: "Forbidden", code: 403, message }));
}

const verbOf: Readonly<Record<string, string>> = {
  GET: "get",
  POST: "create",
  PUT: "update",
  PATCH: "patch",
  DELETE: "delete",
};

/** What the API server takes a request for; `undefined` for what every account may ask (kinds, version, its own rights). */
export function permissionOf(method: string, address: string): Omit<Asked, "status"> | undefined {
  const url = new URL(address, "http://proxy");
  const words = url.pathname.split("/").filter((word) => word !== "");
  const core = words[0] === "api";
  const group = core ? "" : (words[1] ?? "");
  const rest = words.slice(core ? 2 : 3);
  if ((words[0] !== "api" && words[0] !== "apis") || rest.length === 0) return undefined;
  if (group === "authorization.k8s.io" || group === "authentication.k8s.io") return undefined;
  const namespace = rest[0] === "namespaces" ? rest[1] : undefined;
  const inNamespace = rest[0] === "namespaces" && rest.length > 2;
  const [plural = "", pathName, subresource] = inNamespace ? rest.slice(2) : rest;
  const selected = /(?:^|,)metadata\.name=([^,]+)/.exec(url.searchParams.get("fieldSelector") ?? "")?.[1];
  const name = pathName ?? selected;
  const resource = subresource === undefined ? plural : `${plural}/${subresource}`;
  const verb =
    method !== "GET" || pathName !== undefined
      ? (verbOf[method] ?? method)
      : url.searchParams.get("watch") === "true"
        ? "watch"
        : "list";
  return { verb, group, resource, namespace, ...(name === undefined ? {} : { name }) };
}
