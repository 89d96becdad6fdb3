import type { Front } from "../../component/routers/router.ts";
import type { ObjectRef } from "../../core/object-kind.ts";
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
  /** Routing objects that are not there. @default none, while the main one exists */
  readonly missing?: readonly ObjectRef[];
  /** Where the main object says that clients connect. */
  readonly ingress: Front | undefined;
  readonly slots: Readonly<Record<Slot, SlotObservation>>;
}
