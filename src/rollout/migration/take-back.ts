import { exitCodes, UserError } from "../../core/errors.ts";
import { type Migration, takenBack } from "../../core/migration.ts";
import type { RolloutContext } from "../context/context.ts";
import { observeDeployed } from "../context/deployed.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { withLock } from "../lock/lock.ts";
import { requireStack } from "../plan/require-stack.ts";
import type { RolloutRecord } from "../record/record.ts";
import { driven, type MigrateOptions, type MigrateResult } from "./migrate.ts";
import { prepareMigration } from "./prepare.ts";
import { withMigration } from "./recorded.ts";

/**
 * Takes a move back: what is new goes, or, where clients may be there already, they move back first.
 * @throws UserError `migration-missing`, `abort-too-late` (exit code 2)
 */
export async function takeBack(context: RolloutContext, options: MigrateOptions): Promise<MigrateResult> {
  const { config } = context;
  const seen = await observeDeployed(context);
  refuseOtherEnvironment(context, seen.record);
  const migration = requireMigration(config.name, seen.record);
  const back = takenBack(migration);
  if (back === undefined) throw tooLate(migration);
  await context.prepareSecrets();
  await requireStack(context, seen.observation);
  await context.prepareEngine();
  await withLock(context.lockOptions("migrate --abort"), async () => {
    await context.store.update((record) => {
      const present = record?.migration;
      if (record === undefined || present === undefined || present.stage !== migration.stage) return record;
      return withMigration(record, back);
    });
  });
  const prepared = await prepareMigration(context, { endpoints: [] });
  if (!("migration" in prepared)) return { state: "undone", migration: back };
  return await driven(context, prepared, options);
}

function requireMigration(model: string, { migration }: RolloutRecord): Migration {
  if (migration !== undefined) return migration;
  throw new UserError({
    code: "migration-missing",
    message: `${model} is not on its way from one router to another: there is nothing to take back.`,
    hint: "`modelswitch status` shows the router. To go back, put the former router into the configuration and run `modelswitch migrate`.",
    exitCode: exitCodes.usage,
  });
}

function tooLate({ from, to }: Migration): UserError {
  return new UserError({
    code: "abort-too-late",
    message: `The objects of the router "${from.router}" are being removed, since clients had moved to "${to.router}".`,
    hint: `\`modelswitch migrate\` ends it; \`modelswitch migrate --to ${from.router}\` moves back afterwards.`,
    exitCode: exitCodes.usage,
  });
}
