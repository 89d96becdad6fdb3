import { UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import {
  describeWay,
  type Migration,
  type MigrationStage,
  stageAfter,
  turnedRound,
} from "../../core/migration.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Deployed, observeDeployed } from "../context/deployed.ts";
import { whileIngressWaits } from "../ingress/ingress-wait.ts";
import { addressesOf, haveSameAddress, locationOfWay } from "../ingress/ways.ts";
import type { Lock } from "../lock/held-lock.ts";
import { modelSpec } from "../plan/desired.ts";
import { refuseForeignChange } from "../traffic/routing-write.ts";
import { proveWay, type WayProof } from "./prove-way.ts";
import { withMigration, withoutMigration } from "./recorded.ts";

/** What a stage is about, and what came of it. */
export interface StageDone {
  /** `undefined`: the move is over. */
  readonly next: MigrationStage | undefined;
  readonly proof?: WayProof;
}

/** One stage: make, look, prove, note. */
export async function takeStage(
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
