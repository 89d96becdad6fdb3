import { z } from "zod";
import { exitCodes, UserError } from "../../core/errors.ts";
import { type Migration, migrationStages, type Way } from "../../core/migration.ts";
import type { RolloutRecord } from "./record.ts";

const way = z.object({
  // One that is not known is named by whoever looks for it.
  router: z.string(),
  ingress: z.looseObject({ host: z.string() }),
  endpoints: z.array(z.string()),
}) as unknown as z.ZodType<Way>;

/** A move as the record has it. */
export const migrationSchema: z.ZodType<Migration> = z.object({
  from: way,
  to: way,
  stage: z.enum(migrationStages),
  proofHost: z.string().optional(),
  isBack: z.boolean().optional(),
  startedAt: z.string(),
  by: z.string(),
});

/** What a move that is on its way still has to do. */
export function pendingMigration({ migration }: RolloutRecord): string | undefined {
  if (migration === undefined) return undefined;
  const { from, to, stage } = migration;
  const what = `the move from the router ${from.router} to ${to.router} is on its way`;
  switch (stage) {
    case "trial":
    case "beside":
      return `${what}: the new objects are not proved yet; \`modelswitch migrate\` goes on, \`modelswitch migrate --abort\` takes it back`;
    case "clients":
      if (migration.isBack === true)
        return `the move to the router ${from.router} is taken back: both serve, and clients move back to ${to.router}; \`modelswitch migrate --abort --moved\` ends it`;
      return `${what}: both serve, and clients move; \`modelswitch migrate --moved\` ends it, \`modelswitch migrate --abort\` takes it back`;
    case "removing":
      return `${what}: the old objects are being removed; \`modelswitch migrate\` ends it`;
    case "undoing":
      return `${what}, and is taken back; \`modelswitch migrate --abort\` ends that`;
  }
}

/**
 * While a model moves from one router to another nothing is released: ways back are kept in step, what is new waits.
 * @throws UserError `migration-in-progress` (exit code 4)
 */
export function refuseMigrating(model: string, record: RolloutRecord | undefined): void {
  const pending = record === undefined ? undefined : pendingMigration(record);
  if (record?.migration === undefined || pending === undefined) return;
  const { from, to, stage, by, startedAt } = record.migration;
  throw new UserError({
    code: "migration-in-progress",
    message: `${model} moves from the router ${from.router} to ${to.router} (stage ${stage}; ${by} began it at ${startedAt}).`,
    hint: "`modelswitch migrate` goes on with it, `modelswitch migrate --abort` takes it back; ways back (`rollback`, `switch` away from a bad slot) are possible meanwhile.",
    exitCode: exitCodes.locked,
    details: { from: from.router, to: to.router, stage },
  });
}
