import { exitCodes, UserError } from "../../core/errors.ts";
import type { Migration } from "../../core/migration.ts";
import type { CounterSource } from "../../gates/io.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Deployed, observeDeployed } from "../context/deployed.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { addressesOf, haveSameAddress } from "../ingress/ways.ts";
import { withLock } from "../lock/lock.ts";
import { modelSpec } from "../plan/desired.ts";
import { requireStack } from "../plan/require-stack.ts";
import { refuseOtherRollout } from "../release/other-rollout.ts";
import { wayAsked } from "../release/way-asked.ts";
import {
  type AlreadyThere,
  type PreparedMigration,
  type PrepareOptions,
  prepareMigration,
} from "./prepare.ts";
import type { WayProof } from "./prove-way.ts";
import { withMigration } from "./recorded.ts";
import { takeStage } from "./take-stage.ts";
import { type IdleEvidence, waitIdle } from "./wait-idle.ts";

export interface MigrateOptions extends PrepareOptions {
  /** Asked once the move is planned, where it is not begun yet. */
  readonly agree: (prepared: PreparedMigration) => Promise<boolean>;
  /** How it is known that clients have moved. @default it is not: both serve when the command ends */
  readonly clients?:
    | { readonly kind: "said" }
    | {
        readonly kind: "wait";
        readonly idleMs: number;
        readonly deadlineMs?: number;
        readonly sources: readonly CounterSource[];
        /** Asked where nothing has counted the requests. */
        readonly agree: (why: string) => Promise<boolean>;
      };
}

/** How a command that moves a model has ended. */
export type MigrateResult =
  | { readonly state: "there"; readonly there: AlreadyThere }
  | { readonly state: "declined"; readonly prepared: PreparedMigration }
  /** Both serve, and clients are to move. */
  | { readonly state: "both"; readonly prepared: PreparedMigration; readonly proof: WayProof | undefined }
  | {
      readonly state: "moved";
      readonly prepared: PreparedMigration;
      readonly proof: WayProof;
      readonly idle: IdleEvidence | undefined;
    }
  /** What was new is gone again. */
  | { readonly state: "undone"; readonly migration: Migration };

/**
 * Moves a model from one router to another, a stage after the other: each is recorded before it is made, and what is not proved is undone. The
 * lock is not held while clients move.
 * @throws UserError `proof-failed`, `still-used`, …
 */
export async function migrate(context: RolloutContext, options: MigrateOptions): Promise<MigrateResult> {
  const prepared = await prepareMigration(context, options);
  if (!("migration" in prepared)) return { state: "there", there: prepared };
  if (!prepared.isBegun && !(await options.agree(prepared))) return { state: "declined", prepared };
  await context.prepareSecrets();
  await context.prepareEngine();
  return await driven(context, prepared, options);
}

/** Takes a move as far as it goes. */
export async function driven(
  context: RolloutContext,
  prepared: PreparedMigration,
  options: MigrateOptions,
): Promise<MigrateResult> {
  let idle: IdleEvidence | undefined;
  let proof: WayProof | undefined;
  for (;;) {
    const reached = await locked(context, prepared, { isMoved: idle !== undefined });
    proof = reached.proof ?? proof;
    if (reached.kind === "over") {
      if (reached.proof === undefined) return { state: "undone", migration: prepared.migration };
      return { state: "moved", prepared, proof: reached.proof, idle };
    }
    const found = await clientsMoved(context, reached.deployed, options);
    if (found === undefined) return { state: "both", prepared: await again(context, prepared), proof };
    idle = found;
  }
}

/** What is known now, for the words at the end. */
async function again(context: RolloutContext, prepared: PreparedMigration): Promise<PreparedMigration> {
  const { record, routing } = await observeDeployed(context);
  const migration = record.migration ?? prepared.migration;
  const [from, to] = await Promise.all([
    addressesOf(context, record, migration.from),
    addressesOf(context, record, migration.to),
  ]);
  return { ...prepared, migration, record, routing, from, to, sameAddress: haveSameAddress(from, to) };
}

/** How far a move has come: over, or at where clients move. */
type Reached =
  | { readonly kind: "over"; readonly proof: WayProof | undefined }
  | { readonly kind: "clients"; readonly deployed: Deployed; readonly proof: WayProof | undefined };

async function locked(
  context: RolloutContext,
  prepared: PreparedMigration,
  { isMoved }: { readonly isMoved: boolean },
): Promise<Reached> {
  return await withLock(context.lockOptions("migrate"), async (lock) => {
    const stopYielding = lock.yieldTo(wayAsked(context));
    const first = await observeDeployed(context);
    refuseOtherEnvironment(context, first.record);
    await refuseOtherRollout(context, first.record);
    const begun = first.record.migration ?? prepared.migration;
    if (first.record.migration === undefined) {
      // Whoever had the lock may have ended, or taken back, what this command was to go on with.
      if (prepared.isBegun) throw overMeanwhile(prepared);
      await begin(context, first, begun);
    } else if (!prepared.isBegun && first.record.migration.startedAt !== begun.startedAt) {
      throw overMeanwhile(prepared);
    }
    let proof: WayProof | undefined;
    for (let moved = isMoved; ; ) {
      const deployed = await observeDeployed(context);
      const { migration } = deployed.record;
      if (migration === undefined) throw overMeanwhile(prepared);
      if (migration.stage === "clients" && !moved) {
        stopYielding();
        return { kind: "clients", deployed, proof };
      }
      const done = await takeStage(context, lock, deployed, migration);
      proof = done.proof ?? proof;
      if (done.next === undefined)
        return { kind: "over", proof: migration.stage === "undoing" ? undefined : proof };
      moved = migration.stage === "clients" ? false : moved;
    }
  });
}

function overMeanwhile({ record }: PreparedMigration): UserError {
  return new UserError({
    code: "migration-changed",
    message: `Another command has changed, ended or taken back the move of ${record.model} meanwhile.`,
    hint: "`modelswitch status` shows where it is; run the command again.",
    exitCode: exitCodes.locked,
  });
}

/** From here on it is the record's to say what is declared. */
async function begin(context: RolloutContext, deployed: Deployed, migration: Migration): Promise<void> {
  await requireStack(
    context,
    deployed.observation,
    modelSpec(withMigration(deployed.record, migration), context.namespace),
  );
  await context.store.update((record) => record && withMigration(record, migration));
}

/** Whether clients have moved; `undefined`: nobody says so. The lock is free meanwhile. */
async function clientsMoved(
  context: RolloutContext,
  { record, routing, observation }: Deployed,
  { clients }: MigrateOptions,
): Promise<IdleEvidence | undefined> {
  const { migration } = record;
  if (clients === undefined || migration === undefined) return undefined;
  if (clients.kind === "said") return { kind: "said" };
  const { idleMs, deadlineMs, sources } = clients;
  const old = await addressesOf(context, record, migration.from);
  const host = migration.from.ingress.host;
  const evidence = await waitIdle(
    context,
    { record, routing, observation, host, old },
    { idleMs, sources, ...(deadlineMs === undefined ? {} : { deadlineMs }) },
  );
  if (evidence.kind === "assumed" && !(await clients.agree(evidence.why))) return undefined;
  return evidence;
}
