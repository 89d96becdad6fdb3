import { pathOf } from "../discovery.ts";
import { at, deepEqual, listAt, mapAt, nameOf, namespaceOf, numberAt, text } from "../objects.ts";
import { quantityValue } from "../quantity.ts";
import type { Session } from "../session.ts";
import { isMap, type PropertyMap } from "../struct.ts";
import { gvkOf } from "../tokens.ts";
import { recentEvents } from "./explain.ts";
import { condition, isBeingDeleted, list, type Observer } from "./observer.ts";
import type { Verdict } from "./wait.ts";

type ObjectVerdict = (object: PropertyMap) => Verdict;

/** For kinds whose own object says all that can be known. */
export function objectObserver(verdict: ObjectVerdict, about: "events" | "conditions" = "events"): Observer {
  return {
    // The path needs discovery; the regular looks see it soon enough.
    watch: () => [],
    async look(session, live) {
      const found = await currentOf(session, live);
      const object = found ?? live;
      return {
        object,
        verdict: found === undefined ? deleted(live) : verdict(object),
        explain: () =>
          about === "events" ? recentEvents(session, live) : Promise.resolve(describeConditions(object)),
      };
    },
  };
}

async function currentOf(session: Session, live: PropertyMap): Promise<PropertyMap | undefined> {
  const kind = await session.client.kind(gvkOf(text(live, "apiVersion"), text(live, "kind")), session.signal);
  const path = pathOf(kind, namespaceOf(live), nameOf(live));
  return session.client.api.find<PropertyMap>(path, { signal: session.signal });
}

function deleted(live: PropertyMap): Verdict {
  const account = at(live, "metadata", "annotations", "kubernetes.io/service-account.name");
  const why = isTokenSecret(live) ? `; does the ServiceAccount "${String(account)}" exist?` : "";
  return { state: "failed", reasons: [`It was deleted while it was waited for${why}`] };
}

function describeConditions(object: PropertyMap): readonly string[] {
  const conditions = listAt(object, "status", "conditions").filter(isMap);
  if (conditions.length === 0) return [];
  const described = conditions.map((each) => {
    const why = [text(each, "reason"), text(each, "message")].filter((part) => part !== "").join(": ");
    return `${text(each, "type")}=${text(each, "status")}${why === "" ? "" : ` (${why})`}`;
  });
  return [`conditions: ${described.join(", ")}`];
}

export const volumeVerdict: ObjectVerdict = (volume) => {
  const phase = text(volume, "status", "phase");
  if (phase === "Available" || phase === "Bound") return { state: "ready" };
  const message = text(volume, "status", "message");
  if (phase === "Failed") return { state: "failed", reasons: [`The volume has failed: ${message}`] };
  return { state: "waiting", reasons: [`The volume is ${phase || "not seen yet"}`] };
};

export interface ClaimView {
  readonly claim: PropertyMap;
  readonly classes: readonly PropertyMap[];
}

/** A claim is ready when it has its volume, or when it gets one only once a pod uses it. */
export function claimVerdict({ claim, classes }: ClaimView): Verdict {
  const phase = text(claim, "status", "phase");
  if (phase === "Bound") return { state: "ready" };
  if (phase === "Lost") return { state: "failed", reasons: ["The claim has lost its volume"] };
  const name = at(claim, "spec", "storageClassName");
  const found = classes.find((candidate) => nameOf(candidate) === name);
  if (found !== undefined && text(found, "volumeBindingMode") === "WaitForFirstConsumer") {
    return { state: "ready", note: "The volume is made when the first pod uses the claim." };
  }
  const known = classes.map(nameOf);
  const existing = known.length === 0 ? "there are none" : `there are: ${known.join(", ")}`;
  const why =
    found !== undefined
      ? `the storage class "${nameOf(found)}" has to provide it (${text(found, "provisioner")})`
      : typeof name === "string" && name !== ""
        ? `the storage class "${name}" does not exist (${existing})`
        : "it has no storage class, so that a volume must be there that fits it";
  return { state: "waiting", reasons: ["The claim has no volume yet", why] };
}

export const claimObserver: Observer = {
  watch: () => [],
  async look(session, live) {
    const [found, classes] = await Promise.all([
      currentOf(session, live),
      list(session.client.api, "/apis/storage.k8s.io/v1/storageclasses", {}, session.signal),
    ]);
    return {
      object: found ?? live,
      verdict: found === undefined ? deleted(live) : claimVerdict({ claim: found, classes }),
      explain: () => recentEvents(session, live),
    };
  },
};

export const replicationControllerVerdict: ObjectVerdict = (controller) => {
  const wanted = numberAt(controller, "spec", "replicas") ?? 1;
  const available = numberAt(controller, "status", "availableReplicas") ?? 0;
  if (available === wanted) return { state: "ready" };
  return { state: "waiting", reasons: [`${available} of ${wanted} replicas available`] };
};

export const quotaVerdict: ObjectVerdict = (quota) =>
  deepEqual(quantitiesAt(quota, "spec"), quantitiesAt(quota, "status"))
    ? { state: "ready" }
    : { state: "waiting", reasons: ["Waiting until the quota is in force"] };

function quantitiesAt(quota: PropertyMap, part: "spec" | "status"): PropertyMap {
  const hard = Object.entries(mapAt(quota, part, "hard"));
  return Object.fromEntries(hard.map(([name, quantity]) => [name, quantityValue(String(quantity))]));
}

/** Only a ServiceAccount's token is filled in by a controller; all other Secrets are complete at once. */
export const secretVerdict: ObjectVerdict = (secret) =>
  !isTokenSecret(secret) || Object.keys(mapAt(secret, "data")).length > 0
    ? { state: "ready" }
    : { state: "waiting", reasons: ["Waiting for the ServiceAccount's token"] };

function isTokenSecret(object: PropertyMap): boolean {
  return text(object, "kind") === "Secret" && object.type === "kubernetes.io/service-account-token";
}

/** What the conventions for status say of an object of any kind (`PULUMI_K8S_AWAIT_ALL`). */
export const conventionalVerdict: ObjectVerdict = (object) => {
  if (isBeingDeleted(object)) return { state: "waiting", reasons: ["It is being deleted"] };
  const observed = numberAt(object, "status", "observedGeneration");
  if (observed !== undefined && observed !== numberAt(object, "metadata", "generation")) {
    return { state: "waiting", reasons: ["Waiting for its controller to see the change"] };
  }
  const said = (type: string) => {
    const found = condition(object, type);
    return { status: text(found, "status"), why: text(found, "message") || text(found, "reason") };
  };
  const stalled = said("Stalled");
  if (stalled.status === "True") return { state: "failed", reasons: [`It has stalled: ${stalled.why}`] };
  const reconciling = said("Reconciling");
  if (reconciling.status === "True") return { state: "waiting", reasons: [reconciling.why || "In progress"] };
  const ready = said("Ready");
  if (ready.status === "" || ready.status === "True") return { state: "ready" };
  return { state: "waiting", reasons: [`Not ready${ready.why === "" ? "" : `: ${ready.why}`}`] };
};
