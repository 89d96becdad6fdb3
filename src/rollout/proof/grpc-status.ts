import type { IdentityAnswer } from "../../core/identity.ts";

/** Codes of https://github.com/grpc/grpc/blob/master/doc/statuscodes.md by the HTTP status that means the same. */
const statusByCode: Readonly<Record<string, number>> = {
  "0": 200,
  // INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE
  "3": 400,
  "9": 400,
  "11": 400,
  "16": 401,
  "7": 403,
  // NOT_FOUND, UNIMPLEMENTED
  "5": 404,
  "12": 404,
  // RESOURCE_EXHAUSTED
  "8": 429,
  // UNAVAILABLE, DEADLINE_EXCEEDED
  "14": 503,
  "4": 504,
};

/** What a call came to: a call that fails is an answer with HTTP status 200. */
export function statusOfGrpc({ status, headers }: Pick<IdentityAnswer, "status" | "headers">): number {
  if (status !== 200) return status;
  const code = headers["grpc-status"];
  return code === undefined ? 502 : (statusByCode[code.trim()] ?? 500);
}
