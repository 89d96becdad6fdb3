import type { Routing } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import type { SlotObservation } from "../../slots/observation.ts";

export type {
  DeploymentObservation,
  EndpointObservation,
  EndpointsObservation,
  PodEvidence,
  PodObservation,
  PodProblem,
  PodProblemKind,
  ServiceObservation,
  SlotObservation,
} from "../../slots/observation.ts";

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
