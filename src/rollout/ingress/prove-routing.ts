import { routerNamed } from "../../component/routers/factory.ts";
import type { Router } from "../../component/routers/router.ts";
import { UserError } from "../../core/errors.ts";
import { endedBy } from "../../core/events.ts";
import { ingressGuards } from "../../core/ingress-guards.ts";
import { givenBy, objectNames } from "../../core/names.ts";
import type { Routing } from "../../core/routing.ts";
import type { RolloutContext } from "../context/context.ts";
import { type ProofVerdict, type ProofView, untrueIdentity, viewsOf } from "../proof/proof.ts";
import { prove } from "../proof/prove.ts";
import type { AppliedSettings } from "../record/record.ts";
import type { ProofSubject } from "./proof-subject.ts";
import { strangersAre } from "./shared-hosts.ts";

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
export function proofDeadlineMs(
  { answers, config }: RolloutContext,
  { propagation }: Pick<Router, "propagation">,
  patient = false,
): number {
  const proofMs = Math.max(config.deadlines.proofMs, propagation?.deadlineMs ?? 0);
  return patient || answers.wasAway ? Math.max(proofMs, 90_000) : proofMs;
}

/** Asks the ingress until it shows the routing, as a step of its own. The verdict says what was seen. */
export async function proveRouting(
  context: RolloutContext,
  subject: ProofSubject,
  routing: Routing,
  options: ProveRoutingOptions,
): Promise<ProofVerdict> {
  const { controllerReplicas } = context.config;
  const views = viewsOf(
    routing,
    subject.identities,
    subject.router.force,
    options.earlier,
    controllerReplicas,
    subject.shares,
    subject.settings.routing?.testers,
  ).filter(options.only ?? (() => true));
  const about = { id: options.id, title: options.title };
  context.events({ type: "step", ...about, state: "started" });
  const proving = prove({
    endpoints: subject.endpoints,
    views,
    identities: subject.identities,
    identity: subject.identity,
    ingress: subject.settings.ingress,
    previewHeader: subject.settings.previewHeader,
    deadlineMs: proofDeadlineMs(context, subject.router, options.patient),
    watchMs: subject.router.propagation?.watchMs,
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
export function guardsHint({ ingress }: Pick<AppliedSettings, "ingress">): string[] {
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

/** What a proof met of answers that neither slot gives, with the other Ingresses that may have given them. */
export async function namingStrangers(
  context: RolloutContext,
  { ingress, router, names: given = {} }: Pick<AppliedSettings, "ingress" | "router" | "names">,
  verdict: ProofVerdict,
): Promise<ProofVerdict> {
  if (verdict.state === "proved") return verdict;
  if (verdict.evidence.lanes.every(({ strangers }) => strangers.length === 0)) return verdict;
  const { api, namespace, config, signal } = context;
  const names = objectNames(config.name, { slots: given, ...givenBy(ingress) });
  const others = await strangersAre(api, namespace, ingress, names, signal, routerNamed(router));
  return { ...verdict, missing: [...verdict.missing, ...others] };
}
