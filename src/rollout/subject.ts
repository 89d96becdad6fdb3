import { routerNamed } from "../component/routers/factory.ts";
import type { Router } from "../component/routers/router.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import { endedBy, step } from "../core/events.ts";
import type { IdentityProbe } from "../core/identity.ts";
import { ingressGuards } from "../core/ingress-guards.ts";
import type { ObjectNames } from "../core/names.ts";
import { podScheme } from "../core/pod-address.ts";
import type { Routing } from "../core/routing.ts";
import { type Slot, slots } from "../core/slots.ts";
import { isAsFound, withoutLostTemplate } from "./adoption/guard.ts";
import type { RolloutContext } from "./context.ts";
import { learnGoalIdentity } from "./goal-identity.ts";
import { indistinguishable, type LearnOptions, learnIdentities } from "./identities.ts";
import { type Endpoint, ingressEndpoints } from "./ingress-endpoints.ts";
import { type LeaseObject, leasePath, presentLock } from "./lease.ts";
import { refuseClosed } from "./lock.ts";
import { configuredNames } from "./names.ts";
import type { IngressObservation, Observation } from "./observation.ts";
import { type ModelLocation, observe } from "./observe.ts";
import { type Identities, type ProofVerdict, type ProofView, untrueIdentity, viewsOf } from "./proof.ts";
import { prove } from "./prove.ts";
import { type AppliedSettings, namesOfRecord, type RolloutRecord, releaseOf } from "./record.ts";
import { namingStrangers } from "./strangers.ts";

/** What is to be proved at the ingress, and how. */
export interface ProofSubject {
  readonly settings: AppliedSettings;
  readonly router: Router;
  readonly identity: IdentityProbe;
  /** Of the slots whose answers can be expected: the ready ones. */
  readonly identities: Identities;
  readonly endpoints: readonly Endpoint[];
}

/** Where a model is in the cluster. The router is the one that wrote what is there. */
export function locationOf(context: RolloutContext, record: RolloutRecord | undefined): ModelLocation {
  return {
    api: context.api,
    namespace: context.namespace,
    model: context.config.name,
    names: namesIn(context, record),
    router: routerNamed(record?.settings.router ?? context.config.router),
    lists: context.lists,
    ...(record === undefined ? {} : { marks: marksOfFound(record) }),
    signal: context.signal,
  };
}

/** Pods that were there before the model have no note of their release's mark. */
export function marksOfFound(record: RolloutRecord): Partial<Record<Slot, string>> {
  const marks = slots
    .filter((slot) => isAsFound(record, slot))
    .map((slot) => [slot, releaseOf(record, slot)?.spec.mark] as const);
  return Object.fromEntries(marks.filter(([, mark]) => mark !== undefined));
}

function namesIn(context: RolloutContext, record: RolloutRecord | undefined): ObjectNames {
  return record === undefined ? configuredNames(context.config) : namesOfRecord(record);
}

/** A model that `up` has made. */
export interface Deployed {
  readonly record: RolloutRecord;
  readonly location: ModelLocation;
  readonly observation: Observation;
  readonly routing: Routing;
}

/**
 * Reads the record and the cluster.
 * @throws UserError `not-deployed`, `up-unfinished`, `routing-unreadable`, `way-back-closed` where it is being destroyed
 */
export async function observeDeployed(context: RolloutContext): Promise<Deployed> {
  const record = await context.store.read();
  const location = locationOf(context, record);
  const observation = await observe(location);
  const { routing } = observation;
  if (record === undefined || observation.ingress === undefined) {
    await refuseIfGoing(context);
    if (record === undefined || !observation.namespaceExists) throw notDeployed(context, observation);
    throw halfMade(context, record);
  }
  if (routing === undefined) throw routingUnreadable(context, observation.ingress);
  return { record: withoutLostTemplate(record, observation), location, observation, routing };
}

/** What is missing may be on its way out: then whoever takes it away is named. */
async function refuseIfGoing(context: RolloutContext): Promise<void> {
  const about = context.lockOptions("look");
  const lease = await context.api.find<LeaseObject>(leasePath(about)).catch(() => undefined);
  const lock = presentLock(lease, about);
  if (lock !== undefined && !lock.isGone && !lock.looksSilent) refuseClosed(context.config.name, lock);
}

/** The record is there, and what clients come in by is not. */
function halfMade({ config, namespace }: RolloutContext, record: RolloutRecord): UserError {
  const { ingress } = namesOfRecord(record);
  return new UserError({
    code: "up-unfinished",
    message: record.applying
      ? `An \`up\` of ${config.name} in ${namespace} is running, or was stopped half-way: there is no Ingress ${ingress} yet.`
      : `The Ingress ${ingress} of ${config.name} in ${namespace} is gone, so nobody reaches the model.`,
    hint: record.applying
      ? "`modelswitch up` finishes it, with the configuration as it is now; `modelswitch destroy` takes away what is there."
      : "`modelswitch up` makes it again, with the traffic where it was.",
    details: { model: config.name, namespace },
  });
}

function notDeployed(context: RolloutContext, observation: Observation): UserError {
  const { config, namespace, kubernetesContext } = context;
  const why = !observation.namespaceExists
    ? `the namespace ${namespace} does not exist`
    : observation.ingress === undefined
      ? `there is no Ingress ${configuredNames(config).ingress}`
      : `the Ingress ${observation.ingress.name} has no rollout record beside it`;
  return new UserError({
    code: "not-deployed",
    message: `The model ${config.name} is not deployed in ${namespace} (context ${kubernetesContext}): ${why}.`,
    hint: "Run `modelswitch up` first, or choose another cluster with --context or --kubeconfig.",
    details: { model: config.name, namespace, context: kubernetesContext },
  });
}

export function routingUnreadable(context: RolloutContext, ingress: IngressObservation): UserError {
  const { service } = configuredNames(context.config);
  return new UserError({
    code: "routing-unreadable",
    message: `The Ingress ${ingress.name} in ${context.namespace} is not one that modelswitch wrote: it does not send everything to ${service.blue} or ${service.green}.`,
    hint: `Give the model another name, correct the Ingress (its backend must be ${service.blue} or ${service.green}), or take over what it leads to: \`modelswitch init --from ingress/${ingress.name}\`.`,
    exitCode: exitCodes.usage,
  });
}

/** @throws UserError `slots-indistinguishable` where neither the preset nor the configuration names an identity */
export function identityProbe(settings: Pick<AppliedSettings, "identity" | "server">): IdentityProbe {
  const identity = settings.identity ?? settings.server.identity;
  if (identity !== undefined) return identity;
  throw indistinguishable(
    `Nothing says how an answer of blue is told from one of green (model server "${settings.server.name}").`,
  );
}

/** Asks the pods of the slots named who they are, and finds out where the ingress is. */
export async function proofSubject(
  context: RolloutContext,
  about: {
    readonly settings: AppliedSettings;
    readonly router: Router;
    readonly observation: Observation;
    readonly readySlots: readonly Slot[];
  },
): Promise<ProofSubject> {
  const { settings, router, observation } = about;
  const identity = identityProbe(settings);
  return await step(
    context.events,
    { id: "identities", title: "Learn how each slot answers" },
    async () => {
      const [identities, endpoints] = await Promise.all([
        learnIdentities(observation.slots, about.readySlots, learnOptions(context, settings, identity)),
        ingressOf(context, settings, observation),
      ]);
      return { settings, router, identity, identities, endpoints };
    },
    ({ identities, endpoints }) => {
      const known = Object.entries(identities).map(([slot, value]) => `${slot} answers ${value}`);
      return [...known, `ingress at ${endpoints.map(({ url }) => url).join(", ")}`].join("; ");
    },
  );
}

/** A proof whose addresses are looked for while traffic is moved. */
export interface GoalSubject {
  /** Without the ingress's addresses. */
  readonly subject: ProofSubject;
  /** With them. Rejects where they cannot be found. */
  readonly inTime: () => Promise<ProofSubject>;
}

/**
 * What a way back needs: how the goal answers, as soon as one of its pods says it. Where the ingress is has time until there is
 * something to prove there.
 * @throws UserError `goal-silent`
 */
export async function goalSubject(
  context: RolloutContext,
  about: {
    readonly settings: AppliedSettings;
    readonly router: Router;
    readonly observation: Observation;
    readonly goal: Slot;
  },
): Promise<GoalSubject> {
  const { settings, router, observation, goal } = about;
  const identity = identityProbe(settings);
  const endpoints = ingressOf(context, settings, observation);
  // Looked at when it is needed.
  endpoints.catch(() => undefined);
  const { identities, alike } = await step(
    context.events,
    { id: "identities", title: `Learn how ${goal} answers` },
    () =>
      learnGoalIdentity(observation.slots, goal, {
        ...learnOptions(context, settings, identity),
        clock: context.clock,
      }),
    (known) => `${goal} answers ${known.identities[goal]}`,
  );
  if (alike) {
    context.events({
      type: "warning",
      code: "slots-alike",
      message: `Both slots answer ${identity.path} with "${identities[goal]}": the ingress will not show which of them answers.`,
    });
  }
  const subject = { settings, router, identity, identities, endpoints: [] };
  return { subject, inTime: async () => ({ ...subject, endpoints: await endpoints }) };
}

/** How pods are asked who they are. */
export function learnOptions(
  context: RolloutContext,
  { server, ingress }: AppliedSettings,
  identity: IdentityProbe,
): LearnOptions {
  return {
    api: context.api,
    namespace: context.namespace,
    identity,
    port: server.httpPort,
    scheme: podScheme(ingress.protocol, server),
    declared: server.http === false,
    signal: context.signal,
  };
}

/** Where the ingress is. */
export async function ingressOf(
  context: RolloutContext,
  settings: AppliedSettings,
  { ingress }: Observation,
): Promise<readonly Endpoint[]> {
  return await ingressEndpoints({
    api: context.api,
    configured: context.config.endpoints,
    ingress,
    host: settings.ingress.host,
    lookup: context.lookup,
    routes: context.routes,
    signal: context.signal,
  });
}

export interface ProveRoutingOptions {
  readonly id: string;
  readonly title: string;
  readonly signal: AbortSignal;
  /** Routings declared before, which an ingress that is behind may still show. @default none */
  readonly earlier?: readonly Routing[];
  /** Whether the ingress is given the time of one that has lost sight of the API server. @default false */
  readonly patient?: boolean;
  /** Only these views. @default all that the routing can be proved by */
  readonly only?: (view: ProofView) => boolean;
}

/**
 * How long a proof may take. An ingress controller that has lost sight of the API server, as it does in an outage, looks for it again
 * every 30 to 60 seconds at last (the back-off of client-go's reflectors), and then has to read everything anew.
 */
export function proofDeadlineMs({ answers, config }: RolloutContext, patient = false): number {
  const { proofMs } = config.deadlines;
  return patient || answers.wasAway ? Math.max(proofMs, 90_000) : proofMs;
}

/** Asks the ingress until it shows the routing, as a step of its own. The verdict says what was seen. */
export async function proveRouting(
  context: RolloutContext,
  subject: ProofSubject,
  routing: Routing,
  options: ProveRoutingOptions,
): Promise<ProofVerdict> {
  const { header } = subject.router.capabilities;
  const { controllerReplicas } = context.config;
  const views = viewsOf(routing, subject.identities, header, options.earlier, controllerReplicas).filter(
    options.only ?? (() => true),
  );
  const about = { id: options.id, title: options.title };
  context.events({ type: "step", ...about, state: "started" });
  const proving = prove({
    endpoints: subject.endpoints,
    views,
    identities: subject.identities,
    identity: subject.identity,
    ingress: subject.settings.ingress,
    previewHeader: subject.settings.previewHeader,
    deadlineMs: proofDeadlineMs(context, options.patient),
    probe: context.probe,
    clock: context.clock,
    signal: options.signal,
    progress: (update) => context.events({ type: "step", ...about, state: "progress", ...update }),
  });
  const seen = await proving.catch((error: unknown) => {
    context.events({ type: "step", ...about, ...endedBy(error) });
    throw error;
  });
  const verdict = await namingStrangers(context, subject.settings, seen);
  if (verdict.state === "proved") {
    const { probes } = verdict.evidence;
    const places = subject.endpoints.length === 1 ? "1 address" : `${subject.endpoints.length} addresses`;
    const detail =
      views.length === 0
        ? "no slot is ready to answer"
        : `${probes} answers on fresh connections at ${places}`;
    context.events({ type: "step", ...about, state: views.length === 0 ? "skipped" : "done", detail });
  } else {
    context.events({ type: "step", ...about, state: "failed", detail: verdict.missing.join("; ") });
  }
  return verdict;
}

/** What else stands in front of the model, and may be what fails. */
function guardsHint({ ingress }: Pick<AppliedSettings, "ingress">): string[] {
  const guards = ingressGuards(ingress.annotations).map(({ annotation, does }) => `${annotation} (${does})`);
  return guards.length === 0
    ? []
    : [`Look also at what the Ingress has before the model: ${guards.join(", ")}.`];
}

/** The error for what could not be proved; what is missing stands line by line under the message. */
export function unproved(
  { settings, identities }: Pick<ProofSubject, "settings" | "identities">,
  { missing, evidence, advice }: Extract<ProofVerdict, { state: "open" }>,
  about: { readonly code?: "preview-unproved"; readonly message: string; readonly hint: string },
): UserError {
  const lines = missing.map((line) => `  ${line}`).join("\n");
  // Of a server without HTTP the mark is what somebody said.
  const isDeclared = settings.server.http === false;
  const untrue = isDeclared ? untrueIdentity(evidence) : undefined;
  if (untrue !== undefined) {
    const { slot, seen } = untrue;
    return new UserError({
      code: "mark-untrue",
      message: `The release in ${slot} says that its answers have the mark "${identities[slot]}", but through the ingress they have "${seen}":\n${lines}`,
      hint: `Say what they have, \`mark: "${seen}"\` (or \`modelswitch release --set mark=${seen}\`), or the image that has the mark.`,
      details: { evidence, slot, mark: identities[slot], seen },
    });
  }
  return new UserError({
    code: "proof-failed",
    ...about,
    message: `${about.message}:\n${lines}`,
    hint: [
      ...(advice.length > 0 ? advice : [about.hint, ...guardsHint(settings)]),
      ...(isDeclared ? ["Look also whether the answers of each release have its `mark`."] : []),
    ].join(" "),
    details: { evidence },
  });
}
