import { createHmac } from "node:crypto";

const prefix = "whsec_";

/** The key of a secret: base64 behind `whsec_`, as Standard Webhooks has it, else the text itself. */
function keyOf(secret: string): Buffer {
  return secret.startsWith(prefix) ? Buffer.from(secret.slice(prefix.length), "base64") : Buffer.from(secret);
}

/** Why a secret is no good; `undefined`: it is. */
export function secretProblem(secret: string | undefined): string | undefined {
  if (secret === undefined || secret === "") return "is not set";
  if (secret.startsWith(prefix) && !/^[A-Za-z0-9+/]+={0,2}$/.test(secret.slice(prefix.length))) {
    return `begins with ${prefix}, but what follows is not base64`;
  }
  if (keyOf(secret).length < 16) return "is shorter than 16 bytes; make one with `openssl rand -base64 32`";
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
