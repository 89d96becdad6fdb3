import { configuredNames } from "../../core/names.ts";
import { permissionsOf } from "../../core/permission-checks.ts";
import { type PermittedCommand, requiredRows } from "../../core/permissions.ts";
import { deniedPermissions, whoAmI } from "../../kubernetes/access.ts";
import { permissionDenied } from "../../kubernetes/forbidden.ts";
import type { RolloutContext } from "./context.ts";

/**
 * Refuses a command whose account lacks a permission that it will need, before anything is written: a refusal half-way would
 * leave half a model.
 * @throws UserError `permission-denied` naming all that is missing
 */
async function requirePermissions(
  context: RolloutContext,
  commands: readonly PermittedCommand[],
): Promise<void> {
  const { api, namespace, config, signal } = context;
  const wanted = permissionsOf(requiredRows, commands, configuredNames(config));
  const denied = await deniedPermissions(api, namespace, wanted, signal);
  // Where nobody can tell beforehand, the refusal comes when the time comes.
  if (denied === undefined || denied.length === 0) return;
  throw permissionDenied({ permissions: denied, namespace, user: await whoAmI(api, signal) });
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
