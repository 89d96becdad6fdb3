import { routerNamed } from "../../component/routers/factory.ts";
import type { Front, Router } from "../../component/routers/router.ts";
import { routerOf } from "../../component/routers/together.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { besidesOf } from "../../core/migration.ts";
import { configuredNames, type ObjectNames } from "../../core/names.ts";
import { isWayBack } from "../../core/rollout/state.ts";
import { type Routing, settledOn } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";
import type { LeaseObject } from "../lock/lease.ts";
import { leasePath, presentLock } from "../lock/lease.ts";
import { refuseClosed } from "../lock/lock.ts";
import type { Observation } from "../observe/observation.ts";
import { type ModelLocation, namesAt, observe } from "../observe/observe.ts";
import { inProgress } from "../record/in-progress.ts";
import { lastKnownLive } from "../record/last-known-live.ts";
import { namesOfRecord, type RolloutRecord, releaseOf } from "../record/record.ts";
import { isAsFound, withoutLostTemplate } from "./adoption-guard.ts";
import type { RolloutContext } from "./context.ts";

/** Where a model is in the cluster. The router is the one that wrote what is there. */
export function locationOf(context: RolloutContext, record: RolloutRecord | undefined): ModelLocation {
  return {
    api: context.api,
    namespace: context.namespace,
    model: context.config.name,
    names: namesIn(context, record),
    router: routerIn(context, record),
    lists: context.lists,
    ...(record === undefined ? {} : { marks: marksOfFound(record) }),
    signal: context.signal,
  };
}

/** The router that wrote what is there; on a model's way from one to another both, and clients are where the first one says. */
function routerIn({ config }: RolloutContext, record: RolloutRecord | undefined): Router {
  if (record?.migration === undefined) {
    const router = routerNamed(record?.settings.router ?? config.router);
    const isOther = router.kinds[0].kind !== routerNamed(config.router).kinds[0].kind;
    // A configuration that asks for another router already says where that one listens: nobody is to be asked there about this one.
    if (!isOther) return router;
    const { endpoints } = record?.settings ?? {};
    return endpoints !== undefined || router.publishesAddress ? knownAt(router, endpoints ?? []) : router;
  }
  const { from } = record.migration;
  const router = routerOf({ router: record.settings.router, besides: besidesOf(record.migration) });
  const isSwapped = record.migration.stage === "removing";
  const known = isSwapped ? record.migration.to.endpoints : from.endpoints;
  // What the configuration says of addresses is meant for one of the two only.
  return knownAt(router, known);
}

function knownAt(router: Router, known: readonly string[]): Router {
  return { ...router, front: (main, addressed) => ({ ...router.front(main, addressed), known }) };
}

/** Pods that were there before the model have no note of their release's mark. */
export function marksOfFound(record: RolloutRecord): Partial<Record<Slot, string>> {
  const marks = slots
    .filter((slot) => isAsFound(record, slot))
    .map((slot) => [slot, releaseOf(record, slot)?.spec.mark] as const);
  return Object.fromEntries(marks.filter(([, mark]) => mark !== undefined));
}

export function namesIn(context: RolloutContext, record: RolloutRecord | undefined): ObjectNames {
  return record === undefined ? configuredNames(context.config) : namesOfRecord(record);
}

/** A model that `up` has made. */
export interface Deployed {
  readonly record: RolloutRecord;
  readonly location: ModelLocation;
  readonly observation: Observation;
  /** What the routing objects say; where they say nothing of the model (`observation.routing` is undefined), what is assumed for a way back. */
  readonly routing: Routing;
}

/**
 * What is assumed of the traffic for a way back, where the routing objects are gone or lead to something else than the model: the way back writes
 * them as a whole. `undefined`: nobody was ever served, so there is no way back.
 */
export type Assume = (record: RolloutRecord) => Routing | undefined;

/** That the slot has it which had it when a command last moved it. */
export const assumeLastKnown: Assume = (record) => {
  const live = lastKnownLive(record);
  return live === undefined ? undefined : settledOn(live);
};

/** The same, for a rollout that is on its way back already. */
export const assumeOnWayBack: Assume = (record) => {
  const entry = inProgress(record);
  return entry !== undefined && isWayBack(entry.plan, entry.state) ? assumeLastKnown(record) : undefined;
};

/**
 * Reads the record and the cluster.
 * @throws UserError `not-deployed`, `up-unfinished`, `routing-unreadable`, `way-back-closed` where it is being destroyed
 */
export async function observeDeployed(context: RolloutContext, assume?: Assume): Promise<Deployed> {
  const record = await context.store.read();
  const location = locationOf(context, record);
  const observation = await observe(location);
  const { routing } = observation;
  const assumed =
    record === undefined || routing !== undefined || !observation.namespaceExists
      ? undefined
      : assume?.(record);
  if (record !== undefined && assumed !== undefined) {
    await refuseIfGoing(context);
    return { record: withoutLostTemplate(record, observation), location, observation, routing: assumed };
  }
  if (record === undefined || observation.ingress === undefined) {
    await refuseIfGoing(context);
    if (record === undefined || !observation.namespaceExists) throw notDeployed(context, observation);
    throw halfMade(context, record);
  }
  if (routing === undefined) throw routingUnreadable(context, observation.ingress, location);
  return { record: withoutLostTemplate(record, observation), location, observation, routing };
}

/**
 * What is remembered of the model, whatever has become of its objects.
 * @throws UserError as `observeDeployed`, where there is no record
 */
export async function recordOf(context: RolloutContext): Promise<RolloutRecord> {
  return (await context.store.read()) ?? (await observeDeployed(context)).record;
}

/** What is missing may be on its way out: then whoever takes it away is named. */
async function refuseIfGoing(context: RolloutContext): Promise<void> {
  const about = context.lockOptions("look");
  const lease = await context.api.find<LeaseObject>(leasePath(about)).catch(() => undefined);
  const lock = presentLock(lease, about);
  if (lock !== undefined && !lock.isGone && !lock.looksSilent) refuseClosed(context.config.name, lock);
}

/** The record is there, and what clients come in by is not. */
export function halfMade({ config, namespace }: RolloutContext, record: RolloutRecord): UserError {
  const { ingress } = namesOfRecord(record);
  const { kind } = routerNamed(record.settings.router).kinds[0];
  return new UserError({
    code: "up-unfinished",
    message: record.applying
      ? `An \`up\` of ${config.name} in ${namespace} is running, or was stopped half-way: there is no ${kind} ${ingress} yet.`
      : `The ${kind} ${ingress} of ${config.name} in ${namespace} is gone, so nobody reaches the model.`,
    hint: record.applying
      ? "`modelswitch up` finishes it, with the configuration as it is now; `modelswitch destroy` takes away what is there."
      : "`modelswitch up` makes it again, with the traffic where it was.",
    details: { model: config.name, namespace },
  });
}

export function notDeployed(context: RolloutContext, observation: Observation): UserError {
  const { config, namespace, kubernetesContext } = context;
  const { kind } = routerNamed(config.router).kinds[0];
  const why = !observation.namespaceExists
    ? `the namespace ${namespace} does not exist`
    : observation.ingress === undefined
      ? `there is no ${kind} ${configuredNames(config).ingress}`
      : `the ${kind} ${observation.ingress.name} has no rollout record beside it`;
  return new UserError({
    code: "not-deployed",
    message: `The model ${config.name} is not deployed in ${namespace} (context ${kubernetesContext}): ${why}.`,
    hint: "Run `modelswitch up` first, or choose another cluster with --context or --kubeconfig.",
    details: { model: config.name, namespace, context: kubernetesContext },
  });
}

/**
 * Refuses to build on a routing that is only assumed.
 * @throws UserError `routing-unreadable`, `up-unfinished`
 */
export function requireReadable(
  context: RolloutContext,
  { observation, record, location }: Pick<Deployed, "observation" | "record" | "location">,
): void {
  if (observation.routing !== undefined) return;
  if (observation.ingress === undefined) throw halfMade(context, record);
  throw routingUnreadable(context, observation.ingress, location);
}

/** That clients are not sent to the model, in words. */
export function describeAstray(location: ModelLocation): string {
  const [{ kind, name }] = location.router.refs(namesAt(location));
  return `${kind.kind} ${name} is gone, or leads to something else than ${location.model}`;
}

export function routingUnreadable(
  context: RolloutContext,
  ingress: Front,
  location: Pick<ModelLocation, "model" | "names" | "router">,
): UserError {
  const { service } = namesAt(location);
  const { router } = location;
  const { kind } = router.kinds[0];
  const takenOver = router.byIngressClass
    ? `, or take over what it leads to: \`modelswitch init --from ingress/${ingress.name}\``
    : "";
  return new UserError({
    code: "routing-unreadable",
    message: `The ${kind} ${ingress.name} in ${context.namespace} is not one that modelswitch wrote: it does not send everything to ${service.blue} or ${service.green}.`,
    hint: `To bring clients back to the model, \`modelswitch switch SLOT\` or \`modelswitch rollback\` writes it as a whole. Else correct the ${kind} (its backend must be ${service.blue} or ${service.green}), give the model another name${takenOver}.`,
    exitCode: exitCodes.usage,
  });
}
