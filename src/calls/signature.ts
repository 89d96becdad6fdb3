import { createHmac } from "node:crypto";

/** The key of a secret: base64, behind `whsec_` or not, as the libraries of Standard Webhooks take it. */
function keyOf(secret: string): Buffer {
  return Buffer.from(encoded(secret), "base64");
}

function encoded(secret: string): string {
  return secret.trim().replace(/^whsec_/, "");
}

/** The specification's own. */
const shortestKey = 24;

/** Why a secret is no good; `undefined`: it is. */
export function secretProblem(secret: string | undefined): string | undefined {
  if (secret === undefined || secret.trim() === "") return "is not set";
  const make = "make one with `openssl rand -base64 32`";
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(encoded(secret))) return `is not base64; ${make}`;
  if (keyOf(secret).length < shortestKey) return `is shorter than ${shortestKey} bytes; ${make}`;
  return undefined;
}

/**
 * The headers of a signed request after the Standard Webhooks specification: HMAC-SHA256 over id, time and body. `at` is when
 * it is sent, in milliseconds since the Unix epoch.
 */
export function signedHeaders(
  message: { readonly id: string; readonly at: number; readonly body: string },
  secret: string,
): Record<string, string> {
  const { "webhook-id": id = "", "webhook-timestamp": time = "" } = messageHeaders(message);
  const signature = createHmac("sha256", keyOf(secret))
    .update(`${id}.${time}.${message.body}`)
    .digest("base64");
  return { ...messageHeaders(message), "webhook-signature": `v1,${signature}` };
}

/** What says which message it is, signed or not. */
export function messageHeaders({
  id,
  at,
}: {
  readonly id: string;
  readonly at: number;
}): Record<string, string> {
  return { "webhook-id": id, "webhook-timestamp": String(Math.floor(at / 1000)) };
}
