import { UserError } from "../core/errors.ts";
import { parseForbidden, permissionDenied } from "../kubernetes/forbidden.ts";

/** Lists that only make the provider's messages better. */
const dispensable: ReadonlySet<string> = new Set(["events"]);

/** Whether a message of the provider is its client's word on a list or a watch that failed; it tries again for ever. */
export function isWatchFailure(message: string): boolean {
  return /\bfailed to (?:list|watch)\b|\bin watchlist mode\b/i.test(message);
}

/**
 * What a list that is refused to the provider means for the run: it waits for its lists without a deadline, and tells nobody but its
 * log. `undefined` for what it does without (watches, events), and for what passes, such as an API server that is away.
 */
export function refusedList(message: string): ((what: string) => UserError) | undefined {
  if (!isWatchFailure(message)) return undefined;
  const said = message.replaceAll('\\"', '"');
  const denied = parseForbidden(said);
  if (denied !== undefined) {
    if (denied.verb !== "list" || dispensable.has(denied.resource)) return undefined;
    const { user, namespace, ...permission } = denied;
    return (what) =>
      permissionDenied({ permissions: [permission], namespace, user }, { before: stopped(what) });
  }
  // Not every refusal is the API server's own sentence: gateways before it have theirs.
  const [, reason, plural] = /failed to list \S+: (.*) \(get ([\w.-]+)\)/.exec(said) ?? [];
  if (reason === undefined || plural === undefined || dispensable.has(plural)) return undefined;
  if (!/^unknown$|forbidden|unauthorized|provide credentials/i.test(reason)) return undefined;
  return (what) =>
    new UserError({
      code: "kubernetes-api-error",
      message: `${stopped(what)} Its list of ${plural} is refused: ${reason}`,
      hint: "Log in again if the credentials have expired; else ask for the Role that `modelswitch rbac` prints.",
    });
}

function stopped(what: string): string {
  return `${what} was stopped, since Pulumi's Kubernetes provider would have waited for ever. What it had done is saved in the state.`;
}
