import { type KubernetesApi, KubernetesApiError } from "../../kubernetes/api.ts";
import { type LeaseObject, type LockOptions, leasePath, presentLock } from "./lease.ts";

/** Who has the lock at this moment. Those who may only look may not look there. */
export async function worker(context: {
  readonly api: KubernetesApi;
  lockOptions(command: string): LockOptions;
}): Promise<string | null | undefined> {
  const about = context.lockOptions("status");
  try {
    const lock = presentLock(await context.api.find<LeaseObject>(leasePath(about)), about);
    return lock === undefined || lock.isGone || lock.looksSilent ? null : `\`${lock.what}\` of ${lock.who}`;
  } catch (error) {
    if (error instanceof KubernetesApiError) return undefined;
    throw error;
  }
}
