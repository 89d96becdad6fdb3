import { exitCodes, UserError } from "../../core/errors.ts";
import { KubernetesApiError, responseError } from "../../kubernetes/api.ts";
import type { RolloutContext } from "../context/context.ts";
import { type LeaseObject, leasePath, type PresentLock, takenByAnnotation } from "../lock/lease.ts";
import { watchHolder } from "../lock/lease-watch.ts";

/** What `unlock` found, and did. */
export type Unlocked =
  | { readonly kind: "free" }
  /** Its holder was dead. */
  | { readonly kind: "removed"; readonly lock: PresentLock }
  /** Its holder lives, and lost it. */
  | { readonly kind: "taken"; readonly lock: PresentLock };

/**
 * Removes the lock of a model: at once where its holder is dead, else only by force and after `agree`. The command that
 * loses it notices before its next step, and stops.
 * @throws UserError `model-locked` (exit code 4), `declined`, `lock-changed`
 */
export async function unlock(
  context: RolloutContext,
  options: { readonly force: boolean; readonly agree: (lock: PresentLock) => Promise<boolean> },
): Promise<Unlocked> {
  const { api } = context;
  const about = context.lockOptions("unlock");
  const lease = await api.find<LeaseObject>(leasePath(about));
  if (lease === undefined || (lease.spec?.holderIdentity ?? "") === "") return { kind: "free" };
  const watched = await watchHolder(lease, about);
  if (watched.kind === "changed") return await unlock(context, options);
  const { lock } = watched;
  if (watched.kind === "dead") {
    await remove(context, watched.lease, lock);
    return { kind: "removed", lock };
  }
  if (!options.force) throw alive(context, lock);
  if (!(await options.agree(lock))) {
    throw new UserError({
      code: "declined",
      message: "The lock was left where it is, since the answer was no.",
    });
  }
  await take(context, lease, lock);
  return { kind: "taken", lock };
}

async function remove(context: RolloutContext, lease: LeaseObject, lock: PresentLock): Promise<void> {
  const request = {
    method: "DELETE",
    path: leasePath(context.lockOptions("unlock")),
    body: { preconditions: { resourceVersion: lease.metadata?.resourceVersion } },
  } as const;
  const answer = await context.api.request(request);
  if (answer.status === 409) throw changed(context, lock);
  if (answer.status >= 400 && answer.status !== 404) throw responseError(request, answer);
}

/** Leaves the Lease without a holder, and with a word for whoever looks for its lock there. */
async function take(context: RolloutContext, lease: LeaseObject, lock: PresentLock): Promise<void> {
  const about = context.lockOptions("unlock");
  // The heartbeat renews it every few seconds: that is no change of the holder.
  for (let current: LeaseObject | undefined = lease; ; ) {
    if (current?.spec?.holderIdentity !== lease.spec?.holderIdentity) throw changed(context, lock);
    const { holderIdentity: _holder, ...spec } = current?.spec ?? {};
    const annotations = { ...current?.metadata?.annotations, [takenByAnnotation]: context.operator };
    const body = { ...current, metadata: { ...current?.metadata, annotations }, spec };
    try {
      await context.api.json({ method: "PUT", path: leasePath(about), body });
      return;
    } catch (error) {
      if (!(error instanceof KubernetesApiError && [404, 409].includes(error.status))) throw error;
      current = await context.api.find<LeaseObject>(leasePath(about));
      if (current === undefined) return;
    }
  }
}

function alive({ config }: RolloutContext, lock: PresentLock): UserError {
  const { holder, who, what, since, heartbeatSecondsAgo } = lock;
  return new UserError({
    code: "model-locked",
    message: `${who} is running \`${what}\` on ${config.name} since ${since}, and is alive.`,
    hint: "Ask them, or stop it with `modelswitch pause` or `modelswitch abort`. --force takes the lock away: that command ends what it does, and stops.",
    exitCode: exitCodes.locked,
    details: { holder: holder ?? null, since, heartbeatSecondsAgo },
  });
}

function changed({ config }: RolloutContext, lock: PresentLock): UserError {
  return new UserError({
    code: "lock-changed",
    message: `Meanwhile the lock of ${config.name} is no longer that of ${lock.who}: another command has it.`,
    hint: "Run `modelswitch unlock` again to see which.",
    exitCode: exitCodes.locked,
  });
}
