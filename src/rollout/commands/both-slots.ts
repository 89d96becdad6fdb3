import { exitCodes, UserError } from "../../core/errors.ts";
import { liveSlot, type Routing } from "../../core/routing.ts";
import { otherSlot, type Slot, slots } from "../../core/slots.ts";
import type { GateIo } from "../../gates/io.ts";
import type { RolloutContext } from "../context/context.ts";
import { type Deployed, observeDeployed } from "../context/deployed.ts";
import { proofSubject } from "../ingress/proof-subject.ts";
import { proveRouting, unproved } from "../ingress/prove-routing.ts";
import { observeRouting } from "../observe/observe.ts";
import { gateIo } from "../release/gate-io.ts";
import { requireIdentity } from "../release/move-traffic.ts";

/** How slots are asked outside a rollout. */
export interface AskedSlots {
  readonly live: Slot;
  readonly ask: GateIo["ask"];
  readonly endpoints: readonly string[];
  /** Throws where another slot is live by now: answers would be taken for those of the wrong one. */
  readonly stillSo: () => Promise<void>;
}

/**
 * Makes sure that both slots answer through the ingress, each by its preview header; `only`: that the live one does, as clients ask.
 * @throws UserError `slot-not-ready`, `preview-impossible`, `preview-unproved`
 */
export async function askedSlots(
  context: RolloutContext,
  { only = "both" }: { readonly only?: "live" | "both" } = {},
): Promise<AskedSlots> {
  const deployed = await observeDeployed(context);
  const { record, location, observation, routing } = deployed;
  const live = liveSlot(routing);
  const needed = only === "live" ? [live] : slots;
  for (const slot of needed) requireEndpoints(deployed, slot);
  const { router } = location;
  if (only === "both" && !router.capabilities.header) throw withoutPreview(deployed);
  const readySlots = slots.filter((slot) => observation.slots[slot].endpoints.ready.length > 0);
  const subject = await proofSubject(context, { settings: record.settings, router, observation, readySlots });
  for (const slot of needed) requireIdentity(subject, slot);
  const verdict = await proveRouting(context, subject, routing, {
    id: "prove-slots",
    title:
      only === "live"
        ? `Prove ${live} through the ingress`
        : "Prove each slot through the ingress, by the preview header",
    signal: context.signal,
    only: ({ name }) => only === "live" || name !== "clients",
  });
  if (verdict.state === "open") {
    throw unproved(subject, verdict, {
      code: "preview-unproved",
      message: "The ingress does not lead requests to the slots as the preview header says",
      hint: "Check the ingress controller and where it listens (ingress.endpoints in the config file).",
    });
  }
  const seen = { record, observation, routing, slot: otherSlot(live) };
  return {
    live,
    ask: gateIo(context, () => seen).ask,
    endpoints: subject.endpoints.map(({ url }) => url),
    stillSo: async () => {
      const now = await observeRouting(location);
      if (now.routing !== undefined && isAlike(now.routing, routing)) return;
      throw new UserError({
        code: "slots-changed",
        message: `Traffic of ${context.config.name} was moved meanwhile, so that ${live} may not be the live slot any more.`,
        hint: "Run the command again.",
        details: { live },
      });
    },
  };
}

/** The header leads to the same slots. */
function isAlike(a: Routing, b: Routing): boolean {
  return a.main === b.main && a.candidate === b.candidate && liveSlot(a) === liveSlot(b);
}

function requireEndpoints({ observation, record }: Deployed, slot: Slot): void {
  const { endpoints, deployment } = observation.slots[slot];
  if (endpoints.ready.length > 0) return;
  const isEmpty = (deployment?.desiredReplicas ?? 0) === 0;
  throw new UserError({
    code: "slot-not-ready",
    message: isEmpty
      ? `${slot} has no pods, so that nothing answers in it.`
      : `None of the pods of ${slot} is ready.`,
    hint: isEmpty
      ? "A slot runs beside the other one during a release, or with its own `slots` or `idleReplicas` in the configuration; two addresses are compared with --live and --new."
      : "`modelswitch status` says why.",
    exitCode: exitCodes.failed,
    details: { slot, release: record.slots[slot] ?? null },
  });
}

function withoutPreview({ location }: Deployed): UserError {
  return new UserError({
    code: "preview-impossible",
    message: `The router ${location.router.name} leads no request to a slot that clients do not get.`,
    hint: "Compare two addresses instead: --live URL --new URL, for example of two port-forwards.",
    exitCode: exitCodes.usage,
  });
}
