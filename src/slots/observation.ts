import type { Slot } from "../core/slots.ts";

/** What the cluster says about one slot at one moment. */
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
  /** Why the controller can't make pods of the present template, in the API server's words. */
  readonly replicaFailure: string | undefined;
  /** The same, and whether waiting makes sense. */
  readonly refused?: PodsRefused;
  /** Somebody has stopped its rollouts: a change of its pods has no effect. @default false */
  readonly paused?: boolean;
}

/** The API server takes no pods of the present template, or not all of them. */
export interface PodsRefused {
  /** In the API server's words. */
  readonly message: string;
  /** Whether waiting longer is pointless: only somebody's change lets the pods in. */
  readonly final: boolean;
  /** The same for as long as nothing new was heard: Kubernetes keeps the first refusal until a pod was made. */
  readonly id: string;
  /** ISO 8601; since when. */
  readonly since: string | undefined;
}

/** Endpoints of a slot's Service over all its EndpointSlices, each pod once. */
export interface EndpointsObservation {
  /** Ready, not terminating, with a port, for a pod that is ready and not being deleted. */
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
  /** Until when it should have ended, where it is terminating. Milliseconds since the Unix epoch. */
  readonly endsBy?: number;
  /** Whether it is of another revision than the present one of its Deployment. */
  readonly former: boolean;
  /** The slot's Service selects it, but it is none of the slot's Deployment. @default false */
  readonly stray?: boolean;
  /** The image that the model server's container runs, as the node names it: mostly with its digest. */
  readonly imageId?: string | undefined;
  /** How often its containers were started again. */
  readonly restarts?: number;
  /** How one of them ended the last time, for example `OOMKilled, exit code 137`. */
  readonly lastEnd?: string | undefined;
  /** What its answers have where the identity looks, as its release says. */
  readonly mark?: string | undefined;
  readonly problem: PodProblem | undefined;
  /** What a pod that is not ready is at, where nothing is wrong with it so far; of a ready one, why it is no endpoint. */
  readonly waiting?: PodProblem | undefined;
}

export type PodProblemKind =
  | "crash-loop"
  | "image-pull"
  | "container-config"
  | "model-fetch"
  | "model-digest"
  | "unschedulable"
  | "failing-probe"
  | "readiness-gate"
  | "scheduling-gate"
  | "no-endpoint"
  | "starting"
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
