import type { Router } from "../../component/routers/router.ts";
import { step } from "../../core/events.ts";
import type { IdentityProbe } from "../../core/identity.ts";
import { podScheme } from "../../core/pod-address.ts";
import type { Routing, TrafficSplit } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Endpoint, ingressEndpoints } from "../observe/ingress-endpoints.ts";
import type { Observation } from "../observe/observation.ts";
import { realSplitOf } from "../observe/real-split.ts";
import { learnGoalIdentity } from "../proof/goal-identity.ts";
import { indistinguishable, type LearnOptions, learnIdentities } from "../proof/identities.ts";
import type { Identities } from "../proof/proof.ts";
import type { AppliedSettings } from "../record/record.ts";

/** What is to be proved at the ingress, and how. */
export interface ProofSubject {
  readonly settings: AppliedSettings;
  readonly router: Router;
  readonly identity: IdentityProbe;
  /** Of the slots whose answers can be expected: the ready ones. */
  readonly identities: Identities;
  readonly endpoints: readonly Endpoint[];
  /** How the ingress really shares requests by a routing. @default as it says */
  readonly shares?: (routing: Routing) => TrafficSplit;
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
      const shares = (routing: Routing) => realSplitOf(router, routing, observation);
      return { settings, router, identity, identities, endpoints, shares };
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
  const shares = (routing: Routing) => realSplitOf(router, routing, observation);
  const subject = { settings, router, identity, identities, endpoints: [], shares };
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
