import {
  type GrpcIdentity,
  type IdentityAnswer,
  type IdentityProbe,
  readIdentity,
} from "../../core/identity.ts";
import { identityPlaces } from "../../core/identity-path.ts";
import { isPage, whatWasMet } from "../../core/met.ts";
import type { IngressSpec } from "../../core/model.ts";
import { encodeFields, readField } from "./grpc-message.ts";
import type { ProbeRequest } from "./probe-request.ts";
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

/** What is known beside an answer, to say what it is where it carries no identity. */
export interface AnswerAbout {
  readonly protocol: "http" | "https";
  /** The Ingress has a limit of its own. @default false */
  readonly isLimited?: boolean;
  /** Identities that pods have shown: a page may be one. @default none */
  readonly known?: readonly string[];
  readonly now: number;
}

/** What an answer to that question says. */
export function outcomeOf(
  question: Question,
  identity: IdentityProbe,
  answer: IdentityAnswer,
  about: AnswerAbout = { protocol: "http", now: 0 },
): ProbeOutcome {
  const seen = identityIn(question, identity, answer);
  const isKnown = seen !== undefined && about.known?.includes(seen) === true;
  // The whole answer is taken for a mark: a login page would be one, too.
  const isMark = isKnown || !(identity.from.kind === "body" && question.grpc === undefined && isPage(answer));
  if (seen !== undefined && isMark) return { kind: "answer", status: answer.status, identity: seen };
  const { isLimited = false, protocol, now } = about;
  const said = decodedMessage(answer);
  const met = whatWasMet(said, { host: question.host, protocol, isLimited, now });
  if (met?.kind === "limit" || met?.kind === "challenge") {
    return { kind: "unanswered", status: answer.status, met };
  }
  if (met !== undefined) return { kind: "answer", status: answer.status, identity: undefined, met };
  const status = said.headers["grpc-status"];
  if (question.grpc !== undefined && status !== undefined && status !== "0") {
    const message = said.headers["grpc-message"] ?? "";
    return { kind: "error", message: `gRPC status ${status}${message === "" ? "" : `: ${message}`}` };
  }
  return {
    kind: "answer",
    status: answer.status,
    identity: undefined,
    ...(answer.truncated === true ? { truncated: true } : {}),
  };
}

function identityIn({ grpc }: Question, identity: IdentityProbe, answer: IdentityAnswer): string | undefined {
  return grpc === undefined || identity.grpc === undefined
    ? readIdentity(identity, answer)
    : readGrpcIdentity(identity.grpc, answer);
}

/** The mark in an answer over gRPC, or `undefined` when the call failed or its answer carries none. */
function readGrpcIdentity({ from }: GrpcIdentity, answer: IdentityAnswer): string | undefined {
  if (answer.headers["grpc-status"] !== "0") return undefined;
  switch (from.kind) {
    case "metadata":
      return answer.headers[from.name.toLowerCase()];
    case "field":
      return answer.message === undefined ? undefined : readField(answer.message, from.path) || undefined;
  }
}

function decodedMessage(answer: IdentityAnswer): IdentityAnswer {
  const message = answer.headers["grpc-message"];
  if (message === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, "grpc-message": decoded(message) } };
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
