import { encodeFields } from "../core/grpc-message.ts";
import { type IdentityAnswer, type IdentityProbe, readGrpcIdentity, readIdentity } from "../core/identity.ts";
import { identityPlaces } from "../core/identity-path.ts";
import type { IngressSpec } from "../core/model.ts";
import type { ProbeRequest } from "./probe.ts";
import type { ProbeOutcome } from "./proof.ts";

/** What the ingress is asked to see which slot answers. */
export type Question = Pick<ProbeRequest, "host" | "path" | "grpc">;

/**
 * The questions as clients would ask them: one for each host that leads to the model.
 * @throws UserError `identity-path-outside` (exit code 2)
 */
export function questionsFor(ingress: IngressSpec, identity: IdentityProbe): readonly Question[] {
  const message = { grpc: encodeFields(identity.grpc?.request ?? {}) };
  return identityPlaces(ingress, identity).map(({ host, path, grpc }) => ({
    host: probeHost(host),
    path,
    ...(grpc ? message : {}),
  }));
}

/** What an answer to that question says. */
export function outcomeOf({ grpc }: Question, identity: IdentityProbe, answer: IdentityAnswer): ProbeOutcome {
  if (grpc === undefined || identity.grpc === undefined)
    return { kind: "answer", status: answer.status, identity: readIdentity(identity, answer) };
  const status = answer.headers["grpc-status"];
  if (status !== undefined && status !== "0") {
    const message = decoded(answer.headers["grpc-message"] ?? "");
    return { kind: "error", message: `gRPC status ${status}${message === "" ? "" : `: ${message}`}` };
  }
  return { kind: "answer", status: answer.status, identity: readGrpcIdentity(identity.grpc, answer) };
}

/** gRPC messages are percent-encoded; a server that doesn't keep to that is quoted as it is. */
function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

/** A host that the rule covers: some label in place of a wildcard. */
export function probeHost(host: string): string {
  return host.replace(/^\*(?=\.)/, "modelswitch-proof");
}
