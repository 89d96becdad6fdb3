import { routerNamed } from "../../component/routers/factory.ts";
import { exitCodes } from "../../core/errors.ts";
import { permissionsOf } from "../../core/permission-checks.ts";
import { type PermittedCommand, requiredRows } from "../../core/permissions.ts";
import { refuseDenied } from "../../kubernetes/access.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import type { RolloutRecord } from "../record/record.ts";
import type { RolloutContext } from "./context.ts";
import { namesIn } from "./deployed.ts";

/**
 * Whose objects a command works on. `deployed`: those that are there, whatever the configuration says by now; `configured`: those that it asks for.
 */
export type Whose = "deployed" | "configured";

/**
 * Refuses a command whose account lacks a permission that it will need, before anything is written: a refusal half-way would
 * leave half a model. `engine` is what Pulumi needs; a way back asks for it when clients are where they should be, not before.
 * @throws UserError `permission-denied` (exit code 2) naming all that is missing
 */
export async function requirePermissions(
  context: RolloutContext,
  commands: readonly PermittedCommand[],
  whose: Whose = "deployed",
): Promise<void> {
  const record = whose === "deployed" ? await rememberedIn(context) : undefined;
  const router = routerNamed(record?.settings.router ?? context.config.router);
  const wanted = permissionsOf(requiredRows(router.rights), commands, namesIn(context, record));
  await refuseDenied(context, wanted, { exitCode: exitCodes.usage });
}

/** Reads for commands while its permissions are looked up; what is missing of these is said first, all of it at once. */
export async function withPermissions<T>(
  context: RolloutContext,
  commands: readonly PermittedCommand[],
  read: () => Promise<T>,
  whose: Whose = "deployed",
): Promise<T> {
  const [permitted, found] = await Promise.allSettled([requirePermissions(context, commands, whose), read()]);
  if (permitted.status === "rejected") throw permitted.reason;
  if (found.status === "rejected") throw found.reason;
  return found.value;
}

/** Whoever may not read the record is told so with the rest. */
async function rememberedIn({ store }: RolloutContext): Promise<RolloutRecord | undefined> {
  try {
    return await store.read();
  } catch (error) {
    if (error instanceof KubernetesApiError) return undefined;
    throw error;
  }
}
