import type { Migration } from "../../core/migration.ts";
import type { RolloutRecord } from "../record/record.ts";

/** The record with a move at a stage; from when the old objects are removed on the model's router is the new one. Pure. */
export function withMigration(record: RolloutRecord, migration: Migration): RolloutRecord {
  const { from, to, stage } = migration;
  const { router, ingress } = stage === "removing" ? to : from;
  return { ...record, settings: { ...record.settings, router, ingress }, migration };
}

/** The record with a move that is over. Pure. */
export function withoutMigration({ migration: _over, ...record }: RolloutRecord): RolloutRecord {
  return record;
}
