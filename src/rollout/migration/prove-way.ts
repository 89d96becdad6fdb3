import { UserError } from "../../core/errors.ts";
import { provedBy, type Way } from "../../core/migration.ts";
import { liveSlot, type Routing } from "../../core/routing.ts";
import { slots } from "../../core/slots.ts";
import { readiness } from "../../slots/readiness.ts";
import type { RolloutContext } from "../context/context.ts";
import { proofSubject } from "../ingress/proof-subject.ts";
import { proveRouting, unproved } from "../ingress/prove-routing.ts";
import { locationOfWay } from "../ingress/ways.ts";
import { observe } from "../observe/observe.ts";
import type { RolloutRecord } from "../record/record.ts";
import { requireIdentity } from "../release/move-traffic.ts";

export interface WayProof {
  readonly probes: number;
  readonly endpoints: readonly string[];
  /** The host that was asked for. */
  readonly host: string;
}

/**
 * Proves at the addresses of one of the two routers, on fresh connections, that the routing in force is what clients get there.
 * @param host one that no client uses, where clients' own host could be answered by the other router as well
 * @throws UserError `proof-failed`
 */
export async function proveWay(
  context: RolloutContext,
  record: RolloutRecord,
  way: Way,
  routing: Routing,
  about: { readonly id: string; readonly title: string; readonly host?: string | undefined },
): Promise<WayProof> {
  const location = locationOfWay(context, record, way);
  const observation = await observe(location);
  const live = liveSlot(routing);
  const { router } = location;
  const ingress = about.host === undefined ? way.ingress : provedBy(way.ingress, about.host);
  const settings = { ...record.settings, router: way.router, ingress };
  const ready = slots.filter((slot) => readiness(observation.slots[slot]).state === "ready");
  const all = { settings, router, observation };
  const subject = await proofSubject(context, { ...all, readySlots: ready }).catch((error: unknown) => {
    if (!(error instanceof UserError) || error.code !== "slots-indistinguishable") throw error;
    // A switch needs to tell them apart; that the live one answers can be proved all the same.
    return proofSubject(context, { ...all, readySlots: [live] });
  });
  requireIdentity(subject, live);
  const verdict = await proveRouting(context, subject, routing, {
    id: about.id,
    title: about.title,
    signal: context.signal,
  });
  if (verdict.state === "open") {
    throw unproved(subject, verdict, {
      message: `The objects of the router "${way.router}" are there, but the ingress does not show them`,
      hint: router.advice,
    });
  }
  // What saw nothing has proved nothing.
  if (verdict.evidence.probes === 0) {
    throw new UserError({
      code: "proof-failed",
      message: `Nobody could be asked through the router "${way.router}": no ready pod of ${live} says who it is.`,
      hint: "`modelswitch status` shows the slots; the move goes on once the live one is ready.",
    });
  }
  return {
    probes: verdict.evidence.probes,
    endpoints: subject.endpoints.map(({ url }) => url),
    host: ingress.host,
  };
}
