import { routerNamed } from "../../component/routers/factory.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import type { Claim } from "../../core/ingress-claims.ts";
import { ingressGuards } from "../../core/ingress-guards.ts";
import { besidesOf, type Migration, proofHostOf, provedBy, type Way } from "../../core/migration.ts";
import type { Note } from "../../core/note.ts";
import { permissionsOf } from "../../core/permission-checks.ts";
import { requiredRows } from "../../core/permissions.ts";
import type { Routing } from "../../core/routing.ts";
import { refuseDenied } from "../../kubernetes/access.ts";
import { requireIngressAdmitted } from "../capacity/require-admitted.ts";
import { refuseUnfinished } from "../context/adoption-guard.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Deployed, observeDeployed } from "../context/deployed.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { withPermissions } from "../context/permissions.ts";
import { requireServed } from "../ingress/require-served.ts";
import { seeClaims, sharedHostNotes } from "../ingress/shared-hosts.ts";
import { addressesOf, haveSameAddress, namesOfWay } from "../ingress/ways.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import { modelSpec } from "../plan/desired.ts";
import { pendingSwitch } from "../plan/pending-switch.ts";
import { requireStack } from "../plan/require-stack.ts";
import type { RolloutRecord } from "../record/record.ts";
import { refuseOtherRollout } from "../release/other-rollout.ts";
import { type GoalOptions, isThere, requirePossible, waysOf } from "./goal.ts";
import { withMigration } from "./recorded.ts";

export interface PrepareOptions extends GoalOptions {
  /** A host that no client uses, by which the new objects are proved before they have the model's. @default one is derived where it is needed */
  readonly proofHost?: string | undefined;
  /** Others have the host and path, too, and that is meant. @default false */
  readonly shareHost?: boolean;
}

/** What a move is, or would be. */
export interface PreparedMigration {
  readonly migration: Migration;
  /** Whether it is recorded already: then it goes on. */
  readonly isBegun: boolean;
  readonly record: RolloutRecord;
  readonly routing: Routing;
  readonly from: readonly Endpoint[] | undefined;
  readonly to: readonly Endpoint[] | undefined;
  /** `undefined`: not known beforehand. */
  readonly sameAddress: boolean | undefined;
  /** Whether the configuration says the same as the goal. */
  readonly isConfigured: boolean;
  readonly notes: readonly Note[];
}

/** The model is there already: nothing is to be done. */
export interface AlreadyThere {
  readonly way: Way;
  readonly record: RolloutRecord;
}

/**
 * Reads everything and decides; what can be refused is refused here, before anything is asked or written.
 * @throws UserError
 */
export async function prepareMigration(
  context: RolloutContext,
  options: PrepareOptions,
): Promise<PreparedMigration | AlreadyThere> {
  const deployed = await withPermissions(context, ["up", "engine"], () => observeDeployed(context));
  const { record } = deployed;
  refuseUnfinished(record);
  refuseOtherEnvironment(context, record);
  await refuseOtherRollout(context, record);
  return record.migration === undefined
    ? await prepareNew(context, deployed, options)
    : await prepareBegun(context, deployed, record.migration, options);
}

async function prepareBegun(
  context: RolloutContext,
  { record, routing }: Deployed,
  migration: Migration,
  options: PrepareOptions,
): Promise<PreparedMigration> {
  const { from, to } = migration;
  if (options.to !== undefined && options.to !== to.router) {
    throw new UserError({
      code: "migration-other",
      message: `${record.model} is on its way from the router ${from.router} to ${to.router}, not to ${options.to}.`,
      hint: "Without --to `modelswitch migrate` goes on with that move; `modelswitch migrate --abort` takes it back.",
      exitCode: exitCodes.usage,
    });
  }
  const [fromAt, toAt] = await Promise.all([
    addressesOf(context, record, from),
    addressesOf(context, record, to),
  ]);
  const about = { config: context.config, record };
  return {
    migration,
    isBegun: true,
    record,
    routing,
    from: fromAt,
    to: toAt,
    sameAddress: haveSameAddress(fromAt, toAt),
    isConfigured: about.config.router === to.router,
    notes: [],
  };
}

async function prepareNew(
  context: RolloutContext,
  { record, routing, location, observation }: Deployed,
  options: PrepareOptions,
): Promise<PreparedMigration | AlreadyThere> {
  const { config, namespace } = context;
  const { from, to, isConfigured } = waysOf(config, record, options);
  if (isThere({ from, to })) return { way: from, record };
  const pending = pendingSwitch(routing, location.router.capabilities);
  if (pending !== undefined) {
    throw new UserError({
      code: "switch-unfinished",
      message: `Before ${record.model} can move to another router: ${pending}.`,
      exitCode: exitCodes.usage,
    });
  }
  requirePossible({ config, record }, { from, to });
  await requireRights(context, record, [from, to]);
  const goal = { ...context, config: { ...config, router: to.router, ingress: to.ingress } };
  await requireServed(goal, { ingress: undefined });
  const [fromAt, toAt] = await Promise.all([
    addressesOf(context, record, from),
    addressesOf(context, record, to),
  ]);
  const sameAddress = haveSameAddress(fromAt, toAt);
  const isApart = sameAddress === false && options.proofHost === undefined;
  const proofHost = isApart ? undefined : (options.proofHost ?? proofHostOf(to.ingress.host));
  if (proofHost !== undefined) {
    const byHost = { ...goal.config, ingress: provedBy(to.ingress, proofHost) };
    await requireServed({ ...goal, config: byHost }, { ingress: undefined });
  }
  const migration: Migration = {
    from,
    to,
    stage: isApart ? "beside" : "trial",
    ...(proofHost === undefined ? {} : { proofHost }),
    startedAt: new Date(context.clock.now()).toISOString(),
    by: context.operator,
  };
  const claims = await claimNotes(context, record, migration, options.shareHost === true);
  await refuseRefused(context, record, migration, routing);
  const notes: Note[] = [...claims, ...lostGuards(from, to), ...adoptionNotes(record)];
  await context.prepareSecrets();
  const next = withMigration(record, { ...migration, stage: "beside" });
  await requireStack(context, observation, modelSpec(next, namespace));
  return {
    migration,
    isBegun: false,
    record,
    routing,
    from: fromAt,
    to: toAt,
    sameAddress,
    isConfigured,
    notes,
  };
}

/** What was adopted can only be given back as long as it is there. Pure. */
export function adoptionNotes({ adoption, model }: RolloutRecord): Note[] {
  if (adoption === undefined) return [];
  return [
    {
      code: "adoption-ends",
      message: `${model} was adopted: once it has moved, its Ingress ${adoption.ingress.name} is gone, and \`modelswitch adopt --undo\` cannot give back what was found.`,
      hint: "Whoever deploys that Ingress from manifests of their own should take it out of them first.",
    },
  ];
}

/** Both routers are written: what the account may not do of either is said at once. */
async function requireRights(
  context: RolloutContext,
  record: RolloutRecord,
  ways: readonly Way[],
): Promise<void> {
  const wanted = ways.flatMap((way) =>
    permissionsOf(
      requiredRows(routerNamed(way.router).rights),
      ["up", "switch", "destroy", "engine"],
      namesOfWay(record, way),
    ),
  );
  const unique = new Map(wanted.map((one) => [JSON.stringify(one), one]));
  await refuseDenied(context, [...unique.values()], { exitCode: exitCodes.usage });
}

/** What others have of the hosts, by the kind of objects that the new router writes. */
async function claimNotes(
  { api, namespace, signal }: RolloutContext,
  record: RolloutRecord,
  { to, proofHost }: Migration,
  shareHost: boolean,
): Promise<Note[]> {
  const router = routerNamed(to.router);
  const about = { model: record.model, namespace, shareHost };
  const names = namesOfWay(record, to);
  const own = await seeClaims(api, namespace, to.ingress, names, signal, undefined, router);
  const notes = sharedHostNotes(
    { ...own, claims: own.claims.filter((one) => !isOwn(one, record.model, namespace)) },
    about,
    undefined,
  );
  if (proofHost === undefined) return notes;
  const trial = provedBy(to.ingress, proofHost);
  const taken = await seeClaims(api, namespace, trial, names, signal, undefined, router);
  sharedHostNotes(taken, about, undefined);
  return notes;
}

/** What the model has itself of the same kind is what it moves away from. */
function isOwn(claim: Pick<Claim, "model" | "namespace">, model: string, namespace: string): boolean {
  return claim.model === model && claim.namespace === namespace;
}

/** What the API server says of the new objects, before any is made. */
async function refuseRefused(
  context: RolloutContext,
  record: RolloutRecord,
  migration: Migration,
  routing: Routing,
): Promise<void> {
  const [beside] = besidesOf({ ...migration, stage: "beside" });
  if (beside === undefined) return;
  const { besides: _besides, ...spec } = modelSpec(record, context.namespace);
  await requireIngressAdmitted(context, { spec: { ...spec, ...beside }, routing });
}

/** What stands in front of the model now and would not any more: nobody should lose a login without a word. Pure. */
export function lostGuards(from: Way, to: Way): Note[] {
  const kept = to.ingress.annotations ?? {};
  const isRead = (annotation: string) =>
    routerNamed(to.router).byIngressClass === routerNamed(from.router).byIngressClass && annotation in kept;
  const lost = ingressGuards(from.ingress.annotations).filter(({ annotation }) => !isRead(annotation));
  if (lost.length === 0) return [];
  return [
    {
      code: "guards-not-carried",
      message: `What stands in front of the model now is not carried over to the router "${to.router}": ${lost.map(({ annotation, does }) => `${annotation} (${does})`).join(", ")}.`,
      hint: "Set up the same there first (a middleware, a policy of the Gateway, a filter), or go on if it is not needed.",
    },
  ];
}
