import { within } from "../../core/clock.ts";
import { liveSlot } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Deployed } from "../context/deployed.ts";
import { learnAnyIdentity } from "../proof/goal-identity.ts";
import { learnIdentity } from "../proof/identities.ts";
import { answersOfClients } from "./clients-answered.ts";
import { identityProbe, learnOptions } from "./proof-subject.ts";

/** How long a healthy pod may take to say who it is, milliseconds. */
const askMs = 1_000;

/**
 * Whether the live slot is bad while the target is good: then a switch is a way back, which needs nothing of what it leaves. Bad is a slot
 * without a ready pod, one whose pods do not all say who they are, and one of whose answers at the ingress more than one in ten is wrong.
 * Where the target cannot be asked either nobody can tell.
 */
export async function leavesBadSlot(
  context: RolloutContext,
  { record, observation, routing }: Deployed,
  target: Slot,
): Promise<boolean> {
  const live = liveSlot(routing);
  const { settings } = record;
  const hasIdentity = settings.identity !== undefined || settings.server.identity !== undefined;
  if (live === target || !hasIdentity || observation.slots[target].endpoints.ready.length === 0) return false;
  const options = { ...learnOptions(context, settings, identityProbe(settings)), timeoutMs: askMs };
  const [own, good, seen] = await Promise.all([
    within(
      context,
      askMs,
      learnIdentity(observation.slots[live], options).catch(() => undefined),
    ),
    within(
      context,
      askMs,
      learnAnyIdentity(observation.slots[target], options).catch(() => undefined),
    ),
    answersOfClients(context, record, observation),
  ]);
  if (good === undefined || own === good) return false;
  const why =
    observation.slots[live].endpoints.ready.length === 0
      ? "it has no ready pod"
      : own === undefined
        ? "not all of its pods say who they are"
        : seen.wrong > 1
          ? `${seen.wrong} of ${seen.wrong + seen.right} requests at the ingress are not answered rightly`
          : undefined;
  if (why === undefined) return false;
  context.events({
    type: "warning",
    code: "live-slot-bad",
    message: `${live} is bad (${why}), so this switch is a way back: it needs nothing of ${live}, and traffic stays on ${target}.`,
  });
  return true;
}
