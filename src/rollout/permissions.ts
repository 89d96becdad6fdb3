import { type ExitCode, exitCodes } from "../core/errors.ts";
import { type Permission, permissionsOf } from "../core/permission-checks.ts";
import { type PermittedCommand, requiredRows } from "../core/permissions.ts";
import { deniedPermissions, whoAmI } from "../kubernetes/access.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { permissionDenied } from "../kubernetes/forbidden.ts";
import type { RolloutContext } from "./context.ts";
import { configuredNames } from "./names.ts";

/** @throws UserError `permission-denied` naming all of it that the account lacks */
export async function refuseDenied(
  {
    api,
    namespace,
    signal,
  }: { readonly api: KubernetesApi; readonly namespace: string; readonly signal: AbortSignal },
  wanted: readonly Permission[],
  about: { readonly before?: string; readonly exitCode?: ExitCode },
): Promise<void> {
  const denied = await deniedPermissions(api, namespace, wanted, signal);
  // Where nobody can tell beforehand, the refusal comes when the time comes.
  if (denied === undefined || denied.length === 0) return;
  throw permissionDenied({ permissions: denied, namespace, user: await whoAmI(api, signal) }, about);
}

/**
 * Refuses a command whose account lacks a permission that it will need, before anything is written: a refusal half-way would
 * leave half a model. `engine` is what Pulumi needs; a way back asks for it when clients are where they should be, not before.
 * @throws UserError `permission-denied` (exit code 2) naming all that is missing
 */
export async function requirePermissions(
  context: RolloutContext,
  commands: readonly PermittedCommand[],
): Promise<void> {
  const wanted = permissionsOf(requiredRows, commands, configuredNames(context.config));
  await refuseDenied(context, wanted, { exitCode: exitCodes.usage });
}

/** Reads for commands while its permissions are looked up; what is missing of these is said first, all of it at once. */
export async function withPermissions<T>(
  context: RolloutContext,
  commands: readonly PermittedCommand[],
  read: () => Promise<T>,
): Promise<T> {
  const [permitted, found] = await Promise.allSettled([requirePermissions(context, commands), read()]);
  if (permitted.status === "rejected") throw permitted.reason;
  if (found.status === "rejected") throw found.reason;
  return found.value;
}
