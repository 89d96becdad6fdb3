import { type ExitCode, UserError } from "../core/errors.ts";
import { describePermissions, type Permission } from "../core/permission-checks.ts";

/** What the API server's authorizer refused. */
export interface Forbidden extends Permission {
  /** Absent: not in a namespace. */
  readonly namespace?: string;
  readonly user: string;
}

/**
 * Reads the sentence in which every API server says that an account may not do something. `undefined` for refusals of
 * another kind: quotas, admission rules and pod security are "forbidden" too, and no Role helps against them.
 */
export function parseForbidden(message: string): Forbidden | undefined {
  const match =
    /User "([^"]*)" cannot (\S+) resource "([^"]+)"(?: in API group "([^"]*)")?(?: in the namespace "([^"]+)")?/.exec(
      message,
    );
  if (match === null) return undefined;
  const [, user = "", verb = "", resource = "", group = "", namespace] = match;
  const name = /(?:^|[\s:])\S+ "([^"]+)" is forbidden: User "/.exec(message)?.[1];
  return {
    verb,
    group,
    resource,
    user,
    ...(name === undefined ? {} : { name }),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

export interface Denied {
  readonly permissions: readonly Permission[];
  readonly namespace: string | undefined;
  /** Unknown where the API server does not say. */
  readonly user: string | undefined;
}

/** What is shown wherever a permission is missing. */
export function permissionDenied(
  denied: Denied,
  about?: { readonly before?: string; readonly exitCode?: ExitCode; readonly cause?: unknown },
) {
  const { permissions, namespace, user } = denied;
  const account = user === undefined || user === "" ? "The account of this context" : `The account ${user}`;
  const where = namespace === undefined ? "in the cluster" : `in the namespace ${namespace}`;
  const lines = describePermissions(permissions);
  const [only = ""] = lines;
  const what =
    lines.length === 1
      ? `${account} may not ${only} ${where}.`
      : `${account} may not, ${where}:\n${lines.map((line) => `  ${line}`).join("\n")}`;
  return new UserError({
    code: "permission-denied",
    message: about?.before === undefined ? what : `${about.before} ${what}`,
    hint:
      user === "system:anonymous"
        ? "No credentials reached the API server: log in again, or choose another context with --context."
        : "Ask for the Role that `modelswitch rbac` prints (docs/security.md says what each permission is for), or choose another context with --context.",
    details: { user: user ?? null, namespace: namespace ?? null, missing: permissions },
    ...(about?.exitCode === undefined ? {} : { exitCode: about.exitCode }),
    ...(about?.cause === undefined ? {} : { cause: about.cause }),
  });
}

/** The error for a refused request, where its message is one of missing permission. */
export function forbiddenError(
  message: string,
  about?: { readonly before?: string; readonly cause?: unknown },
): UserError | undefined {
  const forbidden = parseForbidden(message);
  if (forbidden === undefined) return undefined;
  const { user, namespace, ...permission } = forbidden;
  return permissionDenied({ permissions: [permission], namespace, user }, about);
}
