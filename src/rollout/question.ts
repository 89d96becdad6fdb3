import { exitCodes, UserError } from "../core/errors.ts";
import { encodeFields } from "../core/grpc-message.ts";
import { type IdentityAnswer, type IdentityProbe, readGrpcIdentity, readIdentity } from "../core/identity.ts";
import { type IngressSpec, speaksGrpc } from "../core/model.ts";
import type { ProbeRequest } from "./probe.ts";
import type { ProbeOutcome } from "./proof.ts";

/** What the ingress is asked to see which slot answers. */
export type Question = Pick<ProbeRequest, "host" | "path" | "grpc">;

/**
 * The question as clients would ask it.
 * @throws UserError `identity-path-outside` (exit code 2)
 */
export function questionFor(ingress: IngressSpec, identity: IdentityProbe): Question {
  const host = probeHost(ingress.host);
  const { grpc } = identity;
  if (grpc === undefined || !speaksGrpc(ingress.protocol))
    return { host, path: proofPath(ingress, identity) };
  const path = proofPath(ingress, { path: `/${grpc.method}` });
  return { host, path, grpc: encodeFields(grpc.request ?? {}) };
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

/**
 * The path of an identity as clients ask for it. Without a rewrite the server sees the path that clients send, so the identity must be
 * under the path of the Ingress.
 * @throws UserError `identity-path-outside` (exit code 2)
 */
export function proofPath(ingress: IngressSpec, identity: Pick<IdentityProbe, "path">): string {
  const path = ingress.path ?? "/";
  const type = ingress.pathType ?? "Prefix";
  const pathname = identity.path.split("?")[0] ?? identity.path;
  const base = path.replace(/\/+$/, "");
  const covered =
    type === "ImplementationSpecific" ||
    (type === "Exact" ? pathname === path : pathname === base || pathname.startsWith(`${base}/`));
  if (covered) return identity.path;
  throw new UserError({
    code: "identity-path-outside",
    message: `The identity is read from ${identity.path}, but the Ingress only sends ${type === "Exact" ? "the path" : "paths under"} ${path} to the model.`,
    hint: "Choose an identity path under the path of the Ingress (`identity` in the config file), or a wider ingress.path.",
    exitCode: exitCodes.usage,
  });
}
