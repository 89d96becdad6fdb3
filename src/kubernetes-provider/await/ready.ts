import { annotations, isTrue } from "../annotations.ts";
import { messageWithHint } from "../errors.ts";
import { annotation, text } from "../objects.ts";
import type { Session } from "../session.ts";
import type { PropertyMap } from "../struct.ts";
import { gvkOf } from "../tokens.ts";
import { definitionObserver } from "./definition.ts";
import { deploymentObserver } from "./deployment.ts";
import { ingressObserver } from "./ingress.ts";
import {
  claimObserver,
  conventionalVerdict,
  objectObserver,
  quotaVerdict,
  replicationControllerVerdict,
  secretVerdict,
  volumeVerdict,
} from "./object.ts";
import type { Observation, Observer } from "./observer.ts";
import { serviceObserver } from "./service.ts";
import { type Outcome, type Verdict, waitUntil } from "./wait.ts";
import { waitForObserver } from "./wait-for.ts";
import {
  daemonSetVerdict,
  jobVerdict,
  podObserver,
  statefulSetVerdict,
  workloadObserver,
} from "./workloads.ts";

export interface ReadyRequest {
  readonly urn: string;
  readonly inputs: PropertyMap;
  /** The object as the API server answered the write. */
  readonly live: PropertyMap;
  readonly timeoutMs: number;
}

export type ReadyOutcome =
  | { readonly state: "ready"; readonly live: PropertyMap }
  | { readonly state: "failed"; readonly live: PropertyMap; readonly reasons: readonly string[] };

const observers: Readonly<Record<string, Observer>> = {
  "apps/Deployment": deploymentObserver,
  "/Service": serviceObserver,
  "networking.k8s.io/Ingress": ingressObserver,
  "extensions/Ingress": ingressObserver,
  "apps/StatefulSet": workloadObserver("statefulsets", statefulSetVerdict),
  "apps/DaemonSet": workloadObserver("daemonsets", daemonSetVerdict),
  "batch/Job": workloadObserver("jobs", jobVerdict),
  "/Pod": podObserver,
  "apiextensions.k8s.io/CustomResourceDefinition": definitionObserver,
  "/PersistentVolume": objectObserver(volumeVerdict),
  "/PersistentVolumeClaim": claimObserver,
  "/ReplicationController": objectObserver(replicationControllerVerdict),
  "/ResourceQuota": objectObserver(quotaVerdict),
  "/Secret": objectObserver(secretVerdict),
};

const conventions = objectObserver(conventionalVerdict, "conditions");

/** How readiness of an object is seen; `undefined` for kinds that are ready once they exist. */
function observerFor(session: Session, inputs: PropertyMap, live: PropertyMap): Observer | undefined {
  if (isTrue(inputs, annotations.skipAwait)) return undefined;
  const expressions = annotation(live, annotations.waitFor);
  if (expressions !== "") return waitForObserver(expressions);
  const { group, kind } = gvkOf(text(live, "apiVersion"), text(live, "kind"));
  // A Secret is complete when it is made, but for tokens that a controller fills in.
  if (group === "" && kind === "Secret" && secretVerdict(live).state === "ready") return undefined;
  return observers[`${group}/${kind}`] ?? (session.settings.awaitAll ? conventions : undefined);
}

/** Waits until what was written has taken effect. Returns the object as it was seen last. */
export async function awaitReady(session: Session, request: ReadyRequest): Promise<ReadyOutcome> {
  const observer = observerFor(session, request.inputs, request.live);
  if (observer === undefined) return { state: "ready", live: request.live };
  let live = request.live;
  let outcome: Outcome<Observation>;
  try {
    outcome = await waitUntil<Observation>(session, {
      urn: request.urn,
      timeoutMs: request.timeoutMs,
      watch: observer.watch(request.live),
      look: async () => {
        const observation = await observer.look(session, live);
        live = observation.object;
        return { value: observation, verdict: observation.verdict };
      },
    });
  } catch (error) {
    // The object has been written, whatever became of the look at it: the state must know it.
    const reason = session.signal.aborted ? "The wait was interrupted" : messageWithHint(error);
    return { state: "failed", live, reasons: [reason] };
  }
  if (outcome.verdict.state === "ready") {
    if (outcome.verdict.note !== undefined) session.log.log("info", request.urn, outcome.verdict.note);
    return { state: "ready", live };
  }
  const details = session.signal.aborted ? [] : await outcome.value.explain().catch(() => []);
  return { state: "failed", live, reasons: [...outcome.verdict.reasons, ...details] };
}

/** One look, for a refresh: `failed` when the object doesn't work and isn't merely on its way. */
export async function readiness(
  session: Session,
  about: { readonly inputs: PropertyMap; readonly live: PropertyMap },
): Promise<Exclude<Verdict, { state: "waiting" }>> {
  const observer = observerFor(session, about.inputs, about.live);
  if (observer === undefined) return { state: "ready" };
  const observation = await observer.look(session, about.live);
  const { verdict } = observation;
  if (verdict.state === "ready") return verdict;
  if (verdict.state === "waiting" && verdict.trouble !== true) return { state: "ready" };
  const details = await observation.explain().catch(() => []);
  return { state: "failed", reasons: [...verdict.reasons, ...details] };
}
