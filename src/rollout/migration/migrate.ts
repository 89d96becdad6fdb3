import { exitCodes, UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import {
  describeWay,
  type Migration,
  type MigrationStage,
  stageAfter,
  takenBack,
  turnedRound,
} from "../../core/migration.ts";
import type { CounterSource } from "../../gates/io.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Deployed, observeDeployed } from "../context/deployed.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { whileIngressWaits } from "../ingress/ingress-wait.ts";
import type { Lock } from "../lock/held-lock.ts";
import { withLock } from "../lock/lock.ts";
import { modelSpec } from "../plan/desired.ts";
import { requireStack } from "../plan/require-stack.ts";
import type { RolloutRecord } from "../record/record.ts";
import { refuseOtherRollout } from "../release/other-rollout.ts";
import { wayAsked } from "../release/way-asked.ts";
import { refuseForeignChange } from "../traffic/routing-write.ts";
import { addressesOf, haveSameAddress, locationOfWay } from "./addresses.ts";
import {
  type AlreadyThere,
  type PreparedMigration,
  type PrepareOptions,
  prepareMigration,
  withMigration,
  withoutMigration,
} from "./prepare.ts";
import { proveWay, type WayProof } from "./prove-way.ts";
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

async function driven(
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

/** What a stage is about, and what came of it. */
interface StageDone {
  /** `undefined`: the move is over. */
  readonly next: MigrationStage | undefined;
  readonly proof?: WayProof;
}

/** One stage: make, look, prove, note. */
async function takeStage(
  context: RolloutContext,
  lock: Lock,
  deployed: Deployed,
  migration: Migration,
): Promise<StageDone> {
  const { stage, from, to, proofHost } = migration;
  const { record, routing } = deployed;
  await lock.check();
  switch (stage) {
    case "trial":
    case "beside": {
      await apply(context, deployed, migration);
      const proof = await provedOrUndone(context, lock, migration, () =>
        proveWay(context, record, to, routing, {
          id: `prove-${stage}`,
          title:
            stage === "trial"
              ? `Prove the router "${to.router}" by a host that no client uses`
              : `Prove the router "${to.router}" before clients come`,
          host: proofHost,
        }),
      );
      const [fromAt, toAt] = await Promise.all([
        addressesOf(context, record, from),
        addressesOf(context, record, to),
      ]);
      const next = stageAfter(migration, haveSameAddress(fromAt, toAt) === true);
      await note(context, migration, next);
      return { next, proof };
    }
    case "clients": {
      // Clients are there, or come: what was proved before is looked at once more before nothing else is left.
      const proof = await proveWay(context, record, to, routing, {
        id: "prove-clients",
        title: `Prove the router "${to.router}" once more`,
        host: proofHost,
      });
      await note(context, migration, "removing");
      return { next: "removing", proof };
    }
    case "removing": {
      await apply(context, deployed, migration);
      const proof = await provedOrPutBack(context, lock, migration, deployed);
      await context.store.update((now) => now && withoutMigration(now));
      return { next: undefined, proof };
    }
    case "undoing":
      await apply(context, deployed, migration);
      await context.store.update((now) => now && withoutMigration(now));
      return { next: undefined };
  }
}

async function note(
  { store }: RolloutContext,
  migration: Migration,
  stage: MigrationStage | undefined,
): Promise<void> {
  if (stage === undefined) return;
  await store.update((record) => record && withMigration(record, { ...migration, stage }));
}

/** Lets Pulumi make what is declared at this stage; traffic stays where it is. */
async function apply(context: RolloutContext, deployed: Deployed, migration: Migration): Promise<void> {
  const { record, routing, location } = deployed;
  const { stage, to } = migration;
  const desired = { spec: modelSpec(record, context.namespace), routing };
  await refuseForeignChange({ location }, routing);
  await step(
    context.events,
    { id: `migrate-${stage}`, title: titleOf(migration) },
    () =>
      whileIngressWaits(
        { ...context, config: { ...context.config, ingress: to.ingress } },
        locationOfWay(context, record, to),
        { signal: context.signal, events: context.events },
        async (signal, events) => {
          const stack = await context.openStack(signal, events);
          return await stack.up(desired);
        },
      ),
    ({ changes, same }) => `${changes.length} changed, ${same} unchanged`,
  );
}

function titleOf({ stage, from, to, proofHost }: Migration): string {
  switch (stage) {
    case "trial":
      return `Make the objects of ${describeWay(to)} for ${proofHost}, which no client uses`;
    case "beside":
    case "clients":
      return `Make the objects of ${describeWay(to)} beside those of ${describeWay(from)}`;
    case "removing":
      return `Remove the objects of ${describeWay(from)}`;
    case "undoing":
      return `Remove the objects of ${describeWay(to)} again`;
  }
}

/** What cannot be proved is taken away again: clients have not been there. */
async function provedOrUndone(
  context: RolloutContext,
  lock: Lock,
  migration: Migration,
  prove: () => Promise<WayProof>,
): Promise<WayProof> {
  try {
    return await prove();
  } catch (error) {
    // What clients have used before is not taken away from them.
    if (!(error instanceof UserError) || !isAboutProof(error) || migration.isBack === true) throw error;
    await lock.check();
    const undoing = { ...migration, stage: "undoing" as const };
    await note(context, undoing, "undoing");
    const deployed = await observeDeployed(context);
    await apply(context, deployed, undoing);
    await context.store.update((now) => now && withoutMigration(now));
    throw withEnd(
      error,
      `What was made of the router "${migration.to.router}" was removed again; clients are served as before.`,
    );
  }
}

/** Where clients are not answered without the old objects, these come back at once. */
async function provedOrPutBack(
  context: RolloutContext,
  lock: Lock,
  migration: Migration,
  { record, routing }: Deployed,
): Promise<WayProof> {
  const { from, to } = migration;
  try {
    return await proveWay(context, record, to, routing, {
      id: "prove-removing",
      title: "Prove that clients are answered",
    });
  } catch (error) {
    if (!(error instanceof UserError) || !isAboutProof(error)) throw error;
    await lock.check();
    // The new objects are there, so they are what the model is known by until the old ones have shown that they serve.
    const back = turnedRound(migration, "beside");
    await note(context, back, "beside");
    await apply(context, await observeDeployed(context), back);
    throw withEnd(
      error,
      `The objects of the router "${from.router}" were made again beside those of "${to.router}", and the move is taken back: \`modelswitch migrate --abort --moved\` removes those of "${to.router}".`,
    );
  }
}

function isAboutProof({ code }: UserError): boolean {
  return [
    "proof-failed",
    "slots-indistinguishable",
    "ingress-without-address",
    "ingress-unresolved",
    "mark-untrue",
  ].includes(code);
}

function withEnd(error: UserError, text: string): UserError {
  const { code, message, hint, details, exitCode } = error;
  return new UserError({
    code,
    message: `${message}\n${text}`,
    exitCode,
    cause: error,
    ...(hint === undefined ? {} : { hint }),
    ...(details === undefined ? {} : { details }),
  });
}

/** Whether clients have moved; `undefined`: nobody says so. The lock is free meanwhile. */
async function clientsMoved(
  context: RolloutContext,
  { record, routing }: Deployed,
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
    { record, routing, host, old },
    { idleMs, sources, ...(deadlineMs === undefined ? {} : { deadlineMs }) },
  );
  if (evidence.kind === "assumed" && !(await clients.agree(evidence.why))) return undefined;
  return evidence;
}

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
