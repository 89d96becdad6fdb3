import type { IngressSpec, RouterName } from "../../core/model.ts";
import type { Named, ObjectNames } from "../../core/names.ts";
import type { Routing } from "../../core/routing.ts";
import type { ControllerCounters } from "./counters/counted.ts";

/** What a router can do. A model that asks for more is refused when it is planned, never served with less. */
export interface RouterCapabilities {
  /** Splits traffic by per cent, and so moves it without touching the main object's backend. */
  readonly weights: boolean;
  /** Sends requests with a header to the candidate (preview). */
  readonly header: boolean;
  /** Sends requests with a cookie to the candidate. */
  readonly cookie: boolean;
  readonly headerRegex: boolean;
  /** Copies requests to the candidate. */
  readonly mirror: boolean;
  readonly mirrorPercent: boolean;
  /** Keeps a client on one slot. */
  readonly sticky: boolean;
  /** Whether a sticky client stays on its slot in spite of the preview header; undefined: depends on the controller. */
  readonly stickyOverridesHeader: boolean | undefined;
  /** Whether the controller reloads when the main backend changes; undefined: depends on the controller. */
  readonly reloadOnSwitch: boolean | undefined;
  /** Needs one Service that selects both slots. */
  readonly needsUnionService: boolean;
  /** Cuts requests that take longer than `ingress.timeout`. */
  readonly timeout: boolean;
  /** Refuses requests that are larger than `ingress.maxBodySize`. */
  readonly bodySize: boolean;
  /** Speaks what `ingress.protocol` says with the model server. */
  readonly backendProtocol: boolean;
}

/** Everything a router needs to write its objects. */
export interface RouterInput {
  /** Name of the model. */
  readonly model: string;
  /** @default those that derive from the model's name */
  readonly names?: ObjectNames;
  /** `undefined`: the provider's namespace. */
  readonly namespace: string | undefined;
  readonly routing: Routing;
  readonly ingress: IngressSpec;
  readonly previewHeader: string;
  /** Port of the slots' Services. */
  readonly servicePort: number;
}

/** An Ingress as it is written. */
export interface IngressManifest {
  readonly apiVersion: "networking.k8s.io/v1";
  readonly kind: "Ingress";
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly ingressClassName?: string;
    readonly tls?: { readonly hosts?: string[]; readonly secretName?: string }[];
    readonly rules: {
      readonly host: string;
      readonly http: {
        readonly paths: {
          readonly path: string;
          readonly pathType: NonNullable<IngressSpec["pathType"]>;
          readonly backend: {
            readonly service: { readonly name: string; readonly port: { readonly number: number } };
          };
        }[];
      };
    }[];
  };
}

/** An Ingress as it is in the cluster or in a stack's state: everything may be missing. */
export interface ObservedIngress {
  readonly metadata?: {
    readonly name?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: {
    readonly rules?: readonly {
      readonly http?: {
        readonly paths?: readonly {
          readonly backend?: { readonly service?: { readonly name?: string } };
        }[];
      };
    }[];
  };
}

/** Turns a routing into one ingress controller's objects and back. Nothing else knows which controller it is. */
export interface Router {
  readonly name: RouterName;
  readonly capabilities: RouterCapabilities;
  /** What the controllers that read its objects count of each slot. @default nothing is known of that */
  readonly counters?: readonly ControllerCounters[];
  /** Names of the objects it writes, the main one first. */
  objectNames(model: Named): readonly [main: string, ...others: string[]];
  /**
   * The objects that say `input.routing`, in the order of `objectNames`. Pure.
   * @throws UserError `annotation-owned`, `routing-unsupported`, `routing-invalid`
   */
  objects(input: RouterInput): readonly IngressManifest[];
  /** The routing that observed objects say; `undefined` when they are missing or not of this router's form. Pure. */
  read(model: Named, objects: readonly ObservedIngress[]): Routing | undefined;
}
