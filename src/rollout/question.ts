import { exitCodes, UserError } from "../core/errors.ts";
import { encodeFields } from "../core/grpc-message.ts";
import { type IdentityAnswer, type IdentityProbe, readGrpcIdentity, readIdentity } from "../core/identity.ts";
import { takes } from "../core/ingress-path.ts";
import { type IngressPlace, type IngressSpec, placesOf, speaksGrpc } from "../core/model.ts";
import type { ProbeRequest } from "./probe.ts";
import type { ProbeOutcome } from "./proof.ts";

/** What the ingress is asked to see which slot answers. */
export type Question = Pick<ProbeRequest, "host" | "path" | "grpc">;

/**
 * The questions as clients would ask them: one for each host that leads to the model.
 * @throws UserError `identity-path-outside` (exit code 2)
 */
export function questionsFor(ingress: IngressSpec, identity: IdentityProbe): readonly Question[] {
  const { grpc } = identity;
  const asked = grpc !== undefined && speaksGrpc(ingress.protocol) ? { path: `/${grpc.method}` } : identity;
  const message = asked === identity ? {} : { grpc: encodeFields(grpc?.request ?? {}) };
  const places = placesOf(ingress);
  return [...new Set(places.map(({ host }) => host))].map((host) => ({
    host: probeHost(host),
    path: proofPath(
      places.filter((place) => place.host === host),
      asked,
    ),
    ...message,
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

/**
 * The path of an identity as clients ask for it. Without a rewrite the server sees the path that clients send, so the identity must be
 * under a path of the Ingress.
 * @throws UserError `identity-path-outside` (exit code 2)
 */
export function proofPath(
  places: readonly Required<IngressPlace>[],
  identity: Pick<IdentityProbe, "path">,
): string {
  if (places.some((place) => takes(place, identity.path))) return identity.path;
  const shown = places.map(({ path, pathType }) =>
    pathType === "Exact" ? `the path ${path}` : `paths under ${path}`,
  );
  throw new UserError({
    code: "identity-path-outside",
    message: `The identity is read from ${identity.path}, but the Ingress only sends ${shown.join(" and ")} of ${places[0]?.host} to the model.`,
    hint: "Choose an identity path under the path of the Ingress (`identity` in the config file), or a wider ingress.path.",
    exitCode: exitCodes.usage,
  });
}
