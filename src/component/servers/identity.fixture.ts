import { readIdentity } from "../../core/identity.ts";
import type { ModelServer } from "../../core/model.ts";

/** What a preset reads out of a 200 answer with this document. */
export function identityIn(server: ModelServer, document: unknown): string | undefined {
  if (server.identity === undefined) throw new Error(`${server.name} has no identity`);
  return readIdentity(server.identity, { status: 200, headers: {}, body: JSON.stringify(document) });
}
