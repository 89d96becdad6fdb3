import { UserError } from "../core/errors.ts";
import { InitializationError, redact, secretTexts } from "./errors.ts";
import type { ResourceLog } from "./host.ts";
import type { PropertyMap } from "./struct.ts";

/** A secret of one resource may show up in what is said of another, for instance in the log of a pod that uses it. */
const shortestElsewhere = 8;

/** What is secret in the resources of one provider, kept out of everything that it says. */
export class Confidential {
  readonly #known = new Set<string>();

  /** The texts that must not be said about a resource with these properties. */
  learn(...from: readonly PropertyMap[]): readonly string[] {
    const own = from.flatMap((properties) => secretTexts(properties));
    for (const text of own) if (text.length >= shortestElsewhere) this.#known.add(text);
    return [...new Set([...own, ...this.#known])].sort((a, b) => b.length - a.length);
  }
}

export function confidentialLog(log: ResourceLog, secrets: readonly string[]): ResourceLog {
  if (secrets.length === 0) return log;
  return {
    log: (severity, urn, message) => log.log(severity, urn, redact(message, secrets)),
    status: (severity, urn, message) => log.status(severity, urn, redact(message, secrets)),
    close: () => log.close(),
  };
}

export function confidentialError(error: unknown, secrets: readonly string[]): unknown {
  if (secrets.length === 0 || !(error instanceof Error)) return error;
  if (error instanceof InitializationError) {
    const { id, state, inputs } = error;
    const reasons = error.reasons.map((reason) => redact(reason, secrets));
    return new InitializationError(redact(error.message, secrets), {
      id,
      state,
      ...(inputs === undefined ? {} : { inputs }),
      reasons,
    });
  }
  if (error instanceof UserError) return error;
  return new Error(redact(error.message, secrets));
}
