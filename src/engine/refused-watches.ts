import type { UserError } from "../core/errors.ts";
import { type Forbidden, parseForbidden, permissionDenied } from "../kubernetes/forbidden.ts";

/** Lists that only make the provider's messages better. */
const dispensable: ReadonlySet<string> = new Set(["events"]);

/** Whether a message of the provider is its client's word on a list or a watch that failed; it tries again for ever. */
export function isWatchFailure(message: string): boolean {
  return /\bfailed to (?:list|watch)\b|\bin watchlist mode\b/i.test(message);
}

/**
 * The list or watch that the API server refused to the provider, where that keeps it waiting: it waits for its lists without a
 * deadline, and tells nobody but its log.
 */
export function refusedWatch(message: string): Forbidden | undefined {
  if (!isWatchFailure(message)) return undefined;
  const denied = parseForbidden(message.replaceAll('\\"', '"'));
  // Without watches it lists again and again.
  return denied?.verb !== "list" || dispensable.has(denied.resource) ? undefined : denied;
}

/** The error of a run that was stopped because of it. */
export function stoppedByRefusal(what: string, { user, namespace, ...permission }: Forbidden): UserError {
  return permissionDenied(
    { permissions: [permission], namespace, user },
    {
      before: `${what} was stopped, since Pulumi's Kubernetes provider would have waited for ever. What it had done is saved in the state.`,
    },
  );
}
