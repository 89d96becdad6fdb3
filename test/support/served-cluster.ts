import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { ApiRequest, KubernetesApi } from "../../src/kubernetes/api.ts";

export interface ServedCluster {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): void;
}

/** Serves a cluster that is only in memory, for commands that are told by a kubeconfig where theirs is. */
export async function serveCluster(api: Pick<KubernetesApi, "request">): Promise<ServedCluster> {
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://cluster");
    const text = await textOf(request);
    const answer = await api.request({
      method: (request.method ?? "GET") as ApiRequest["method"],
      path: pathname,
      query: Object.fromEntries(searchParams),
      ...(text === "" ? {} : { body: JSON.parse(text) }),
    });
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString("utf8");
}
