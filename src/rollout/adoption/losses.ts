import { deploymentSpec } from "../../component/deployment.ts";
import { type Fields, isFields } from "../../core/fields.ts";
import type { ModelServer, SlotSpec } from "../../core/model.ts";
import { podScheme } from "../../core/pod-address.ts";
import { ownPodLabels } from "../../core/slot-rules/pod.ts";
import { keptAnnotations } from "../record/bookkeeping.ts";
import { asModel } from "./as-model.ts";
import type { Discovered } from "./discovered.ts";
import { backendProtocol } from "./found-server.ts";
import type { FoundContainer, FoundProbe } from "./inventory.ts";
import { missing, saysNothing } from "./missing-fields.ts";

/** A Deployment's spec as the next release would have it, in blue. */
export function nextDeployment(
  model: string,
  { selector, ingress }: Pick<Discovered, "selector" | "ingress">,
  slot: SlotSpec,
  server: ModelServer,
): Fields {
  const scheme = podScheme(backendProtocol(ingress), server);
  const image = slot.image ?? "";
  // The values that a rollout gives it by and by are no part of what was found.
  const { versions: _versions, ...rest } = slot;
  // Kubernetes' own objects in it have no types here.
  const runs = { ...rest, image } as unknown as Parameters<typeof deploymentSpec>[2];
  return deploymentSpec(model, selector, runs, server, scheme) as unknown as Fields;
}

export const fieldsOf = (value: unknown): Fields => (isFields(value) ? value : {});

/** The fields of a Deployment's spec that a later release would be without. Pure. */
export function lostOfSpec(found: Fields, next: Fields): string[] {
  return Object.keys(found).filter(
    (field) => !ours.includes(field) && !isKept(field, found[field], next[field]),
  );
}

/** The fields of what runs that a later release would be without, by their paths; none: it keeps everything. Pure. */
export function lostFields(given: Discovered, next: Fields): string[] {
  const found = asModel(given);
  const { deployment, container } = found;
  const spec = fieldsOf(deployment.spec);
  const before = fieldsOf(spec.template);
  const template = fieldsOf(next.template);
  const pod = fieldsOf(before.spec);
  const nextPod = fieldsOf(template.spec);
  const [server, ...others] = nextPod.containers as readonly Fields[];
  return [
    ...lostOfSpec(spec, next).map((field) => `spec.${field}`),
    ...lostMetadata(found, fieldsOf(before.metadata), fieldsOf(template.metadata)),
    ...lostOfPod(pod, nextPod).flatMap((field) => missing(pod[field], nextPod[field], `pod.${field}`)),
    ...lostOfContainer(container, fieldsOf(server)),
    ...((pod.containers ?? []) as readonly FoundContainer[])
      .filter((one) => one !== container)
      .flatMap((one) => missing([one], others, "pod.containers")),
    ...(losesToken(pod, nextPod)
      ? ["pod.automountServiceAccountToken (the token of its ServiceAccount)"]
      : []),
  ];
}

/** Fields of a Deployment that are not a release's to say. */
const ours = ["replicas", "selector", "paused", "template"];

/** Longer is as good: nothing is cut short. What nobody chose is the server's to say. */
const atLeast: Readonly<Record<string, number>> = {
  terminationGracePeriodSeconds: 30,
  progressDeadlineSeconds: 600,
};

function isKept(field: string, found: unknown, next: unknown): boolean {
  if (atLeast[field] !== undefined) return found === atLeast[field] || Number(next ?? 0) >= Number(found);
  if (field === "strategy" && JSON.stringify(sortedStrategy(found)) === defaultStrategy) return true;
  return missing(found, next, field).length === 0;
}

const defaultStrategy = JSON.stringify({ type: "RollingUpdate", surge: "25%", unavailable: "25%" });

function sortedStrategy(strategy: unknown): object {
  const { type, rollingUpdate } = fieldsOf(strategy);
  const { maxSurge, maxUnavailable } = fieldsOf(rollingUpdate);
  return { type, surge: maxSurge, unavailable: maxUnavailable };
}

function lostMetadata({ selector, deployment }: Discovered, before: Fields, next: Fields): string[] {
  const selecting = [...Object.keys(selector), ...Object.keys(deployment.spec?.selector?.matchLabels ?? {})];
  const labels = Object.entries(fieldsOf(before.labels)).filter(
    ([key]) => !ownPodLabels.includes(key) && !selecting.includes(key),
  );
  const annotations = keptAnnotations(fieldsOf(before.annotations) as Record<string, string>);
  return [
    ...labels
      .filter(([key, value]) => fieldsOf(next.labels)[key] !== value)
      .map(([key]) => `pod label ${key}`),
    ...Object.entries(annotations)
      .filter(([key, value]) => fieldsOf(next.annotations)[key] !== value)
      .map(([key]) => `pod annotation ${key}`),
  ];
}

/** The fields of a pod's spec that a later release would be without; its containers are looked at one by one. Pure. */
export function lostOfPod(pod: Fields, next: Fields): string[] {
  return Object.keys(pod).filter(
    (field) => !["containers", "serviceAccount"].includes(field) && !isKept(field, pod[field], next[field]),
  );
}

/** Nobody said whether it is mounted, so that it is: an account of its own is of use by its token alone. */
function losesToken(pod: Fields, next: Fields): boolean {
  const hasAccount = pod.serviceAccountName !== undefined && pod.serviceAccountName !== "default";
  return (
    hasAccount &&
    pod.automountServiceAccountToken === undefined &&
    next.automountServiceAccountToken === false
  );
}

/** The fields that modelswitch gives the pods of every release, and those that run have not. Pure. */
export function gainedFields({ deployment, container }: Discovered, next: Fields): string[] {
  const pod = fieldsOf(fieldsOf(fieldsOf(deployment.spec).template).spec);
  const nextPod = fieldsOf(fieldsOf(next.template).spec);
  const [server] = nextPod.containers as readonly Fields[];
  const before = fieldsOf(container.securityContext);
  const after = fieldsOf(fieldsOf(server).securityContext);
  const gains: readonly (readonly [boolean, string])[] = [
    [
      after.allowPrivilegeEscalation === false && before.allowPrivilegeEscalation === undefined,
      "no privilege escalation",
    ],
    [after.capabilities !== undefined && before.capabilities === undefined, "no Linux capabilities"],
    [
      fieldsOf(nextPod.securityContext).seccompProfile !== undefined &&
        fieldsOf(pod.securityContext).seccompProfile === undefined,
      "the runtime's seccomp profile",
    ],
    [
      nextPod.automountServiceAccountToken === false && pod.automountServiceAccountToken === undefined,
      "no token of the default ServiceAccount",
    ],
    [
      nextPod.enableServiceLinks === false && pod.enableServiceLinks === undefined,
      "no variables for the namespace's Services",
    ],
    [
      fieldsOf(server).lifecycle !== undefined && container.lifecycle === undefined,
      "a pause before they end",
    ],
  ];
  return gains.filter(([isGained]) => isGained).map(([, what]) => what);
}

const probes = ["readinessProbe", "livenessProbe", "startupProbe"] as const;

/** The fields of the server's container that a later release would be without. Pure. */
export function lostOfContainer(container: FoundContainer, next: Fields): string[] {
  return Object.keys(container)
    .filter((field) => !["name", "image"].includes(field))
    .flatMap((field) => {
      const value = container[field];
      const probe = probes.find((kind) => kind === field);
      if (probe !== undefined) return isSameProbe(container, next, probe) ? [] : [`container.${probe}`];
      if (field === "imagePullPolicy") return value === next[field] ? [] : [`container.${field}`];
      return missing(value, next[field], `container.${field}`);
    });
}

/** Probes that ask the same; with times that nobody chose, those of modelswitch are as good. */
function isSameProbe(container: FoundContainer, next: Fields, kind: (typeof probes)[number]): boolean {
  const found = asked(container[kind] as FoundProbe | undefined, container.ports ?? []);
  const written = asked(
    next[kind] as FoundProbe | undefined,
    (next.ports ?? []) as NonNullable<FoundContainer["ports"]>,
  );
  if (found === undefined) return true;
  if (written === undefined || missing(found.asks, written.asks, kind).length > 0) return false;
  return saysNothing(kind, found.times) || missing(found.times, written.times, kind).length === 0;
}

function asked(probe: FoundProbe | undefined, ports: NonNullable<FoundContainer["ports"]>) {
  if (probe === undefined) return undefined;
  const { httpGet, grpc, tcpSocket, exec, ...times } = probe as Fields;
  const numbered = (action: unknown) => {
    if (!isFields(action) || typeof action.port !== "string") return action;
    return { ...action, port: ports.find(({ name }) => name === action.port)?.containerPort ?? action.port };
  };
  return { asks: { httpGet: numbered(httpGet), grpc, tcpSocket: numbered(tcpSocket), exec }, times };
}
