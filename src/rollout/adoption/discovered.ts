import type { PodObject } from "../../slots/kubernetes-objects.ts";
import type {
  FoundAutoscaler,
  FoundBudget,
  FoundContainer,
  FoundDeployment,
  FoundIngress,
  FoundPath,
  FoundService,
} from "./inventory.ts";
import type { Labels } from "./labels.ts";

/** What an Ingress leads to, complete and fit to become a slot. */
export interface Discovered {
  readonly ingress: FoundIngress;
  readonly service: FoundService;
  readonly deployment: FoundDeployment;
  readonly autoscaler: FoundAutoscaler | undefined;
  readonly pods: readonly PodObject[];
  readonly container: FoundContainer;
  readonly host: string;
  readonly path: FoundPath;
  /** More hosts and paths that lead to the same Service. */
  readonly also: readonly { readonly host: string; readonly path: FoundPath }[];
  readonly className: string;
  /** Whether the class is named by the annotation of old. */
  readonly classAnnotation: boolean;
  /** Port of the Service that the Ingress asks for. */
  readonly servicePort: number;
  /** Port of the container that it leads to. */
  readonly httpPort: number;
  /** Whether the controller of the class reads the canary annotations of ingress-nginx. */
  readonly canaries: boolean;
  readonly selector: Labels;
  /** Labels for the other slot's pods. */
  readonly otherSelector: Labels;
  /** Annotations about canaries that say nothing, since the Ingress is none: `KEY: VALUE`. */
  readonly leftovers: readonly string[];
  /** Somebody's PodDisruptionBudget for its pods. */
  readonly budget: FoundBudget | undefined;
  /** Things to know before it is taken over. */
  readonly warnings: readonly string[];
}
