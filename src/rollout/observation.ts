import type { Routing } from "../core/routing.ts";
import type { Slot } from "../core/slots.ts";

/** What the cluster says about one model at one moment. Nothing in it is remembered. */
export interface Observation {
  readonly namespaceExists: boolean;
  /** What the routing objects say; `undefined` while the main Ingress does not exist. */
  readonly routing: Routing | undefined;
  readonly ingress: IngressObservation | undefined;
  readonly slots: Readonly<Record<Slot, SlotObservation>>;
}

export interface IngressObservation {
  readonly name: string;
  readonly className: string | undefined;
  /** Hosts that the Ingress terminates TLS for; an entry without hosts is `*`. */
  readonly tlsHosts: readonly string[];
  /** Addresses in the status: IPs or host names. */
  readonly addresses: readonly string[];
}

export interface SlotObservation {
  readonly slot: Slot;
  readonly service: ServiceObservation | undefined;
  /** `undefined` where somebody else runs the pods. */
  readonly deployment: DeploymentObservation | undefined;
  readonly endpoints: EndpointsObservation;
  readonly pods: readonly PodObservation[];
}

export interface ServiceObservation {
  readonly name: string;
  readonly selector: Readonly<Record<string, string>>;
}

export interface DeploymentObservation {
  readonly name: string;
  readonly image: string | undefined;
  /** Number of the release in the label `modelswitch.dev/release`. */
  readonly release: number | undefined;
  readonly generation: number;
  readonly observedGeneration: number;
  readonly desiredReplicas: number;
  /** All pods, old ones too. */
  readonly replicas: number;
  readonly updatedReplicas: number;
  readonly readyReplicas: number;
  /** Why the controller can't make pods, for example a quota: the message of `ReplicaFailure`. */
  readonly replicaFailure: string | undefined;
}

/** Endpoints of a slot's Service over all its EndpointSlices, each pod once. */
export interface EndpointsObservation {
  /** Ready and not terminating, for a pod that is not being deleted. */
  readonly ready: readonly EndpointObservation[];
  readonly notReady: number;
  readonly terminating: number;
}

export interface EndpointObservation {
  readonly address: string;
  /** Name of the pod; `undefined` for endpoints that somebody wrote by hand. */
  readonly pod: string | undefined;
}

export interface PodObservation {
  readonly name: string;
  readonly uid?: string | undefined;
  readonly phase: string;
  readonly ready: boolean;
  readonly terminating: boolean;
  /** Whether it runs a former template of its Deployment. */
  readonly former: boolean;
  /** The image that the model server's container runs, as the node names it: mostly with its digest. */
  readonly imageId?: string | undefined;
  /** How often its containers were started again. */
  readonly restarts?: number;
  /** How one of them ended the last time, for example `OOMKilled, exit code 137`. */
  readonly lastEnd?: string | undefined;
  /** What its answers have where the identity looks, as its release says. */
  readonly mark?: string | undefined;
  readonly problem: PodProblem | undefined;
}

export type PodProblemKind =
  | "crash-loop"
  | "image-pull"
  | "container-config"
  | "model-fetch"
  | "model-digest"
  | "unschedulable"
  | "failing-probe"
  | "evicted";

/** Why a pod is not ready, in words for people. */
export interface PodProblem {
  readonly pod: string;
  /** Undefined when the problem is the whole pod's. */
  readonly container?: string;
  readonly kind: PodProblemKind;
  /** Kubernetes' own word for it, for example `CrashLoopBackOff`. */
  readonly reason: string;
  readonly message: string;
  /** Whether waiting longer is pointless: nothing in the cluster will mend it by itself. */
  readonly final: boolean;
}

/** What helps to understand a problem: the pod's last words. */
export interface PodEvidence {
  readonly pod: string;
  /** Last lines of the log; of the previous container where it crashed. */
  readonly logLines: readonly string[];
  /** Warnings about the pod, newest last. */
  readonly events: readonly string[];
}
