import { routerNamed } from "../../component/routers/factory.ts";
import { exitCodes } from "../../core/errors.ts";
import { configuredNames } from "../../core/names.ts";
import { permissionsOf } from "../../core/permission-checks.ts";
import { type PermittedCommand, requiredRows } from "../../core/permissions.ts";
import { refuseDenied } from "../../kubernetes/access.ts";
import type { RolloutContext } from "./context.ts";

/**
 * Refuses a command whose account lacks a permission that it will need, before anything is written: a refusal half-way would
 * leave half a model. `engine` is what Pulumi needs; a way back asks for it when clients are where they should be, not before.
 * @throws UserError `permission-denied` (exit code 2) naming all that is missing
 */
export async function requirePermissions(
  context: RolloutContext,
  commands: readonly PermittedCommand[],
): Promise<void> {
  const wanted = permissionsOf(
    requiredRows(routerNamed(context.config.router).rights),
    commands,
    configuredNames(context.config),
  );
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
