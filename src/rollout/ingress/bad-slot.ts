import { within } from "../../core/clock.ts";
import { liveSlot } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import type { SlotObservation } from "../../slots/observation.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Deployed } from "../context/deployed.ts";
import { learnAnyIdentity } from "../proof/goal-identity.ts";
import { learnIdentity } from "../proof/identities.ts";
import type { ClientAnswers } from "./clients-answered.ts";
import { answersOfClients, areServed } from "./clients-answered.ts";
import { identityProbe, learnOptions } from "./proof-subject.ts";

/** How long a healthy pod may take to say who it is, milliseconds. */
const askMs = 1_000;
/** Where clients are not served either, the live slot's pods get so many times as long as the target's took, and that long at least. */
const times = 5;
const leastMs = 300;

/**
 * Whether the live slot is bad while the target is good: then a switch is a way back, which needs nothing of what it leaves. Bad is a slot
 * without a ready pod, one whose pods do not all say who they are, and one of whose answers at the ingress more than one in ten is wrong, or
 * does not come although the target's do. Where the target cannot be asked either nobody can tell.
 */
export async function leavesBadSlot(
  context: RolloutContext,
  { record, observation, routing, location }: Deployed,
  target: Slot,
): Promise<boolean> {
  const { clock } = context;
  const live = liveSlot(routing);
  const { settings } = record;
  const hasIdentity = settings.identity !== undefined || settings.server.identity !== undefined;
  if (live === target || !hasIdentity || observation.slots[target].endpoints.ready.length === 0) return false;
  const options = { ...learnOptions(context, settings, identityProbe(settings)), timeoutMs: askMs };
  const startedAt = clock.now();
  const value = routing.candidate === target ? location.router.force(routing, "candidate") : undefined;
  const previews = value === undefined ? undefined : { slot: target, value };
  const asking = within(
    context,
    askMs,
    learnIdentity(observation.slots[live], options).catch(() => undefined),
  );
  const answers = answersOfClients(context, record, observation, previews);
  const good = await within(
    context,
    askMs,
    learnAnyIdentity(observation.slots[target], options).catch(() => undefined),
  );
  const goodMs = clock.now() - startedAt;
  const seen = await answers;
  const patienceMs = areServed(seen) ? askMs : Math.min(askMs, Math.max(leastMs, times * goodMs));
  const own = await within(context, Math.max(0, patienceMs - (clock.now() - startedAt)), asking);
  if (good === undefined || own === good) return false;
  const why = whyBad(observation.slots[live], own, seen);
  if (why === undefined) return false;
  context.events({
    type: "warning",
    code: "live-slot-bad",
    message: `${live} is bad (${why}), so this switch is a way back: it needs nothing of ${live}, and traffic stays on ${target}.`,
  });
  return true;
}

function whyBad(
  { endpoints }: SlotObservation,
  own: string | undefined,
  { wrong, right, silent }: ClientAnswers,
): string | undefined {
  if (endpoints.ready.length === 0) return "it has no ready pod";
  if (own === undefined) return "not all of its pods say who they are";
  if (wrong > 1) return `${wrong} of ${wrong + right} requests at the ingress are not answered rightly`;
  return silent > 1
    ? `${silent} requests at the ingress got no answer, and one for the other slot did`
    : undefined;
}
