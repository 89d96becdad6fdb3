import { createHmac, timingSafeEqual } from "node:crypto";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly body?: string;
  readonly headers?: Record<string, string>;
}

/**
 * An HTTP server on the loopback interface that answers what it is told, one answer after the other, the last one for good. It ends
 * with the test that opens it.
 */
export async function receiver(...answers: (Answer | "silent" | "cut")[]) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const answer = answers[Math.min(received.length, answers.length - 1)] ?? { status: 200 };
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
      if (answer === "silent") return;
      if (answer === "cut") request.socket.destroy();
      else response.writeHead(answer.status, answer.headers).end(answer.body ?? "");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${port}/checks/hush?token=hush`,
    host: `127.0.0.1:${port}`,
    received,
    close,
  };
}

/** What a receiver does who has read the specification, and nothing of how it is signed here. */
export function isGenuine({ headers, body }: Received, secret: string, now: number): boolean {
  const header = (name: string) => String(headers[name] ?? "");
  const [id, timestamp] = [header("webhook-id"), header("webhook-timestamp")];
  if (!/^[^.]+$/.test(id) || !/^\d+$/.test(timestamp)) return false;
  if (Math.abs(now / 1000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  const expected = createHmac("sha256", key);
  for (const part of [id, ".", timestamp, ".", body]) expected.update(part);
  const digest = expected.digest();
  return header("webhook-signature")
    .split(" ")
    .map((one) => one.split(","))
    .some(([version, signature = ""]) => {
      const given = Buffer.from(signature, "base64");
      return version === "v1" && given.length === digest.length && timingSafeEqual(given, digest);
    });
}
