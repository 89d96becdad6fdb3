import type { ControllerName } from "../../core/controllers.ts";
import type { IngressLike } from "../../core/ingress-claims.ts";
import type { IngressSpec } from "../../core/model.ts";
import type { Named, ObjectNames } from "../../core/names.ts";
import type { ObjectKind, ObjectRef } from "../../core/object-kind.ts";
import type { RoutingNeeds } from "../../core/optional-permissions.ts";
import type { RouterName } from "../../core/router-names.ts";
import type { Routing, Side, TrafficSplit } from "../../core/routing.ts";
import type { Slot } from "../../core/slots.ts";
import type { Sticky, Testers } from "../../core/testers.ts";
import type { ControllerCounters } from "./counters/counted.ts";

/** What a router can do. A model that asks for more is refused when it is planned, never served with less. */
export interface RouterCapabilities {
  /** Splits traffic by per cent, and so moves it without touching the main object's backend. */
  readonly weights: boolean;
  /** Splits it by hundredths of a per cent, too. */
  readonly fineShares: boolean;
  /**
   * After all traffic was moved by weight, the main object has to follow by a second write. Without it all traffic on a slot is just
   * a weight of 100.
   */
  readonly commit: boolean;
  /** Sends requests with a header to the slot that it names (preview). */
  readonly header: boolean;
  /** Sends clients with a header of their own to the release under test. */
  readonly testers: boolean;
  /** The same for clients with a cookie. */
  readonly cookie: boolean;
  readonly headerRegex: boolean;
  /** Copies requests to the candidate. */
  readonly mirror: boolean;
  readonly mirrorPercent: boolean;
  /** How it keeps a client on the slot that it got while the share of the other one grows. */
  readonly sticky: Sticky | false;
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
  /** Speaks what `ingress.protocol` says with the model server; `https`: that besides `http`, and no gRPC. */
  readonly backendProtocol: boolean | "https";
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
  /** Who gets `routing.testers`. @default nobody */
  readonly testers?: Testers | undefined;
  /** Port of the slots' Services. */
  readonly servicePort: number;
  /** Seconds for which the model server keeps an idle connection open. @default not known, or for ever */
  readonly keepAliveSeconds?: number | undefined;
  /** Where the model server says over HTTP that it can take requests. @default not known, or not over HTTP */
  readonly healthPath?: string | undefined;
  /** Where that port leads. @default a port named http, to the same number */
  readonly backend?: BackendPort;
  /** Labels that select the pods of each slot. @default `{ app: MODEL, version: SLOT }` */
  readonly selectors?: Readonly<Record<Slot, Labels>>;
}

type Labels = Readonly<Record<string, string>>;

/** The port of a Service, as its spec has it. */
export interface BackendPort {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number;
}

/** A routing object as it is written, of whatever kind. */
export interface RoutingObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
  };
  readonly spec: object;
}

/** A routing object as it is in the cluster or in a stack's state: everything may be missing. */
export interface ObservedObject {
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** Where the main object says that clients connect. */
export interface Front {
  /** Of the main object. */
  readonly name: string;
  /** The class that it names, where there is one. */
  readonly className: string | undefined;
  /** Hosts that it terminates TLS for; an entry without hosts is `*`. */
  readonly tlsHosts: readonly string[];
  /** Addresses in the status: IPs or host names. */
  readonly addresses: readonly string[];
  /** URLs that are known otherwise, and win over all that is said here and in the configuration. @default none are */
  readonly known?: readonly string[];
  /** @default 80, with TLS 443 */
  readonly port?: number;
}

/** One object, in the model's namespace unless it says otherwise. */
export interface ObjectPlace extends ObjectRef {
  readonly namespace?: string;
}

/** Reads one object that is somebody else's; without a namespace one of the cluster. `unseen`: the account may not look. */
export type Look = (
  kind: ObjectKind,
  name: string,
  namespace: string | undefined,
) => Promise<ObservedObject | undefined | "unseen">;

/** What a model asks of its router that not every controller of the router's objects has. */
export interface Wishes {
  /** Testers by a cookie. */
  readonly cookie: boolean;
  /** Copies of requests, per cent. @default none */
  readonly mirror?: number | undefined;
  /** TLS with the pods. @default no */
  readonly https?: boolean;
}

/** Why objects would be served by nobody. */
export interface Groundless {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** Turns a routing into one ingress controller's objects and back. Nothing else knows which controller it is. */
export interface Router<Manifest extends RoutingObject = RoutingObject> extends RoutingNeeds {
  readonly name: RouterName;
  readonly capabilities: RouterCapabilities;
  /** What the controllers that read its objects count of each slot. @default nothing is known of that */
  readonly counters?: readonly ControllerCounters[];
  /** The kinds that it writes, that of the main object first: paths and types in Pulumi's state follow from them. */
  readonly kinds: readonly [main: ObjectKind, ...others: ObjectKind[]];
  /** The objects that it writes, the main one first. Services are made before all others, and go after them: routes lead to them. */
  refs(model: Named): readonly [main: ObjectRef, ...others: ObjectRef[]];
  /**
   * The objects that say `input.routing`, in the order of `refs`. Pure.
   * @throws UserError `annotation-owned`, `routing-unsupported`, `routing-invalid`
   */
  objects(input: RouterInput): readonly Manifest[];
  /** The routing that observed objects say; `undefined` when they are missing or not of this router's form. Pure. */
  read(model: Named, objects: readonly ObservedObject[]): Routing | undefined;
  /** Whether an IngressClass says who serves the objects. */
  readonly byIngressClass: boolean;
  /**
   * Those of the known controllers that read its objects as they are meant: others serve them as something else, where their class says that
   * they do. @default nothing is known of that, or all of them do
   */
  readonly readBy?: readonly ControllerName[];
  /** Whether `ingress.gateway` has to name a Gateway. @default false: it must not */
  readonly needsGateway?: boolean;
  /** Whether its objects are for gRPC alone, whose calls have no paths that a model could be told by. @default false */
  readonly isForGrpc?: boolean;
  /** Whether the controller says in the cluster where clients connect. Else `ingress.endpoints` has to. */
  readonly publishesAddress: boolean;
  /** What clients' hosts and paths are claimed with: only objects of the same class compete. Pure. */
  classOf(ingress: Pick<IngressSpec, "className">): string;
  /** What hosts and paths an object of the main kind has, said as an Ingress says it. Pure. */
  claim(object: ObservedObject): IngressLike;
  /** The annotations that options of requests become: free ones must not say the same. Pure. */
  requestAnnotations(
    ingress: Pick<IngressSpec, "timeout" | "maxBodySize" | "protocol">,
  ): Readonly<Record<string, string>>;
  /** What is wrong with testers that the router cannot tell by this header or cookie. @default nothing. Pure. */
  testersProblem?(testers: Testers, previewHeader: string): string | undefined;
  /** What to look at where the ingress does not show what is declared. */
  readonly advice: string;
  /**
   * Annotations that it never writes and that would change what its own mean, each with the value that leaves them alone: where somebody has added one, the
   * next write sets it. @default none
   */
  readonly neutral?: Readonly<Record<string, string>>;
  /** Annotations that say a share only together: whoever writes one of them writes all. @default none */
  readonly together?: readonly string[];
  /**
   * How the controller really shares requests, in per cent, where it can't share them as declared: it deals to pods, in whole numbers. Pure.
   * @default as declared
   */
  realSplit?(split: TrafficSplit, replicas: Readonly<Record<Slot, number>>): TrafficSplit;
  /**
   * For a controller that hands its routing on to a load balancer of many machines, which follow one after the other behind the same addresses: for how
   * long nothing but expected answers have to come, and the least time that a proof is given for it, both in milliseconds. @default what an address has
   * shown is in force there
   */
  readonly propagation?: { readonly watchMs: number; readonly deadlineMs: number };
  /** The value of the preview header that forces a request to one side; `undefined`: none does. Pure. */
  force(routing: Routing, side: Side): string | undefined;
  /** The object that has the addresses, where the main one has not. Pure. */
  addressedBy?(main: ObservedObject): ObjectPlace | undefined;
  /** Where clients connect, by the main object and the one that has the addresses, as they are in the cluster. Pure. */
  front(main: ObservedObject, addressed?: ObservedObject): Front;
  /** Whether what the objects refer to is there and takes them; says what is wrong. */
  ground?(
    about: {
      readonly ingress: IngressSpec;
      readonly namespace: string;
      readonly names: ObjectNames;
      readonly wishes: Wishes;
    },
    look: Look,
  ): Promise<Groundless | undefined>;
}
