import { defaults } from "./defaults.ts";
import type { IdentityProbe } from "./identity.ts";
import type {
  Autoscaling,
  DisruptionBudget,
  EnvValue,
  GpuAmount,
  KubernetesFields,
  ModelSource,
  PodSettings,
  ResourceAmounts,
  SecretMount,
  ServiceSettings,
} from "./release-contents.ts";
import type { RouterName } from "./router-names.ts";
import type { Slot } from "./slots.ts";
import type { Testers } from "./testers.ts";

/** A probe of a container over HTTP, or of a server without HTTP over gRPC; times in seconds. */
export interface HttpProbe {
  /** Means nothing over gRPC. */
  readonly path: string;
  /** What the gRPC health service is asked about. @default the server as a whole */
  readonly service?: string | undefined;
  readonly periodSeconds: number;
  readonly timeoutSeconds: number;
  readonly failureThreshold: number;
}

/** Protocols of inference requests over HTTP that are known by name. */
export const inferenceProtocols = [
  "open-inference",
  "openai",
  "tensorflow",
  "torchserve",
  "bentoml",
  "custom",
] as const;
export type InferenceProtocol = (typeof inferenceProtocols)[number];

/** Where a server's metrics are read, in the text format of Prometheus. */
export interface MetricsEndpoint {
  readonly port: number;
  readonly path: string;
}

/** How a server shows that it has no request in progress any more. */
export interface DrainingEvidence {
  /** Gauges of the metrics endpoint: with all samples of all of them at 0, no request is queued or in progress. */
  readonly gauges: readonly string[];
  /** What they add up to on an idle replica while they are read, for a server that counts the reading itself. @default 0 */
  readonly baseline?: number | undefined;
  /** Seconds by which the metrics may be late. @default 0 */
  readonly lagSeconds?: number | undefined;
  /** Whether requests over gRPC are counted, too. @default false: they are no evidence where clients use gRPC */
  readonly countsGrpc?: boolean | undefined;
}

/** What modelswitch has to know about a model server: ports, probes, shutdown and how a slot is recognised. */
export interface ModelServer {
  /** Name of the preset, for messages. */
  readonly name: string;
  /** Port of the inference protocol over HTTP; the slots' Services send to it. */
  readonly httpPort: number;
  /** `false`: nothing answers HTTP, and `httpPort` takes gRPC. @default true */
  readonly http?: false | undefined;
  /** Other container ports by name, for example `{ grpc: 8081, metrics: 8082 }`. */
  readonly otherPorts: Readonly<Record<string, number>>;
  /** Passes once the model can take requests. */
  readonly readiness: HttpProbe;
  /** Fails when only a restart helps; `undefined`: never restarted. */
  readonly liveness: HttpProbe | undefined;
  /** Holds back the liveness probe while the model loads. */
  readonly startup: HttpProbe | undefined;
  /** Seconds a terminating pod goes on serving while endpoints and ingress controllers forget it. */
  readonly preStopSleepSeconds: number;
  /** At least `preStopSleepSeconds` plus the longest request. */
  readonly terminationGracePeriodSeconds: number;
  /** Environment the preset sets; a slot's own `env` wins. */
  readonly env: Readonly<Record<string, string>>;
  /**
   * How long the server keeps an idle connection open; an ingress controller's idle timeout must be below it.
   * `undefined`: it never closes one, or it is not known.
   */
  readonly keepAliveSeconds: number | undefined;
  /** How a slot is recognised; undefined where the user has to say it. */
  readonly identity: IdentityProbe | undefined;
  /** What inference requests look like. @default not known */
  readonly protocol?: InferenceProtocol | undefined;
  /** @default none, or not known */
  readonly metrics?: MetricsEndpoint | undefined;
  /** @default none: that requests have ended is assumed after the longest request time */
  readonly draining?: DrainingEvidence | undefined;
}

export type { ResourceAmounts } from "./release-contents.ts";

/** Versions of modelswitch whose pods lack something that every pod has since. */
export const podDefaultsVersions = ["0.1.0"] as const;
export type PodDefaults = (typeof podDefaultsVersions)[number];

/** What one slot runs. Without `image` the slot has only a Service, and somebody else runs the pods. */
export interface SlotSpec {
  /** Image of the model server, best with its digest: `registry/fraud:1.5@sha256:…`. */
  readonly image?: string;
  /** Either this or `autoscaling`. @default 1 */
  readonly replicas?: number;
  /** Replicas by load. @default none */
  readonly autoscaling?: Autoscaling;
  /** @default `{ maxUnavailable: 1 }` with more than one replica, else none */
  readonly disruptionBudget?: DisruptionBudget;
  /** The model, if it is not in the image. */
  readonly model?: ModelSource;
  /** Environment; wins over the server preset's. A value is a text, or names the key of a Secret or ConfigMap. */
  readonly env?: Readonly<Record<string, EnvValue>>;
  /** Contents of files by their absolute path in the server's container; they belong to the release. */
  readonly configFiles?: Readonly<Record<string, string>>;
  /** Secrets as files. */
  readonly secrets?: readonly SecretMount[];
  /**
   * Versions of the Secrets and ConfigMaps that are referred to, by `secret/NAME` and `configmap/NAME`, never their contents.
   * A change replaces the pods. @default those that are there: on the command line, when the release was made
   */
  readonly versions?: Readonly<Record<string, string>>;
  readonly resources?: ResourceAmounts;
  /** Whole GPUs per replica. @default none */
  readonly gpus?: GpuAmount;
  /** @default IfNotPresent */
  readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  /**
   * What the answers of this release have where the identity looks: only for servers without HTTP, whose pods cannot be asked.
   * @default asked of the pods
   */
  readonly mark?: string;
  /** Replaces the image's entry point. @default the image's own */
  readonly command?: readonly string[];
  /** Arguments for the entry point. @default the image's own */
  readonly args?: readonly string[];
  /** Over the defaults of the server's container: no privilege escalation, no capabilities. */
  readonly securityContext?: object;
  /** More mounts of the server's container, of volumes in `pod.volumes`. */
  readonly volumeMounts?: readonly object[];
  /** Where and as whom the pods run, and what else is in them. */
  readonly pod?: PodSettings;
  /** Fields as Kubernetes has them, for what has no word here. @default none */
  readonly kubernetes?: KubernetesFields;
  /** @default `{ app: NAME, version: SLOT }`; never changes after creation */
  readonly selector?: Readonly<Record<string, string>>;
  /** Number of the release that the slot runs, for labels and outputs. */
  readonly release?: number;
  /** The version that made the release, where its pods are to stay as that one wrote them. @default the current defaults */
  readonly podDefaults?: PodDefaults;
  /** Name of the slot's Deployment, where it existed before the model. @default derived from the model's name, NAME-SLOT; never changes */
  readonly deployment?: string;
  /** Name of the slot's Service, where it existed before the model. @default derived from the model's name, NAME-SLOT; never changes */
  readonly service?: string;
  /** Name of the slot's HorizontalPodAutoscaler, where it existed before the model. @default derived from the model's name, as the Deployment's; never changes */
  readonly autoscaler?: string;
}

/** One object that existed before the model, as it was found. */
export interface AdoptedObject {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * Objects that existed before the model and became one of its slots. What of them is not ours to decide stays as it was found.
 * `import`: the state takes them in, nothing is written. `keep`: they are managed. `give-back`: they leave the state and stay in
 * the cluster when the stack is emptied.
 */
export interface AdoptedModel {
  readonly slot: Slot;
  readonly phase: "import" | "keep" | "give-back";
  /** Whether the slot still runs the pods that were found: then their template is left alone. */
  readonly templateKept: boolean;
  /** `selector`: the Deployment's own, which is immutable and may be wider or narrower than the Service's. */
  readonly deployment: AdoptedObject & { readonly selector: Readonly<Record<string, string>> };
  /** `selector`: absent in what older versions noted. */
  readonly service: AdoptedObject & { readonly selector?: Readonly<Record<string, string>> };
  /** Somebody's PodDisruptionBudget guards its pods: with a second one none of them could be evicted. @default false */
  readonly budgeted?: boolean;
  /** Where one sized the Deployment. */
  readonly autoscaler?: AdoptedObject;
  readonly ingress: AdoptedObject;
}

/** What the ingress controller speaks with the model server. */
export type BackendProtocol = "http" | "https" | "grpc" | "grpcs";

export function speaksGrpc(protocol: BackendProtocol | undefined): boolean {
  return protocol === "grpc" || protocol === "grpcs";
}

export interface IngressTls {
  /** Empty: the entry names none. @default all hosts of the Ingress */
  readonly hosts?: readonly string[];
  /** Secret with the certificate. @default the controller's default certificate */
  readonly secretName?: string;
}

/** One more way by which clients reach the model. */
export interface IngressPlace {
  /** @default that of the Ingress */
  readonly host?: string;
  /** @default / */
  readonly path?: string;
  /** @default Prefix */
  readonly pathType?: "Prefix" | "Exact" | "ImplementationSpecific";
}

/** A Gateway, and which of its listeners. */
export interface GatewayRef {
  readonly name: string;
  /** @default the model's */
  readonly namespace?: string;
  /** @default all listeners that take the route */
  readonly sectionName?: string;
}

/** How clients reach the model. */
export interface IngressSpec {
  /** Name of the Ingress, where it existed before the model. @default derived from the model's name, NAME; never changes */
  readonly name?: string;
  /**
   * Name of the second Ingress of routers that have one, for a model that has moved from one class to another.
   * @default derived from the model's name, NAME-canary; never changes
   */
  readonly canaryName?: string;
  /** @default nginx */
  readonly className?: string;
  /**
   * Names the class by the annotation `kubernetes.io/ingress.class`, as before there were IngressClasses: for an Ingress that does so
   * already, and controllers that know no other way. @default false
   */
  readonly classAnnotation?: boolean;
  /** The Gateway that takes the requests, for a router of Gateways. @default no Gateway */
  readonly gateway?: GatewayRef;
  /** Host name that clients use, for example `mlmodels.example.com`. */
  readonly host: string;
  /** @default / */
  readonly path?: string;
  /** @default Prefix */
  readonly pathType?: "Prefix" | "Exact" | "ImplementationSpecific";
  /** More hosts and paths that lead to the model. @default no more */
  readonly also?: readonly IngressPlace[];
  readonly tls?: readonly IngressTls[];
  /** Seconds that the controller waits for the model server's answer. @default the controller's, mostly 60 */
  readonly timeout?: number;
  /** Largest request: a quantity such as `64Mi`, or `unlimited`. @default the controller's */
  readonly maxBodySize?: string;
  /** What the controller speaks with the model server. @default http */
  readonly protocol?: BackendProtocol;
  /** Free annotations; those that the router owns are refused. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** All hosts and paths that lead to the model, the main one first. */
export function placesOf({
  host,
  path,
  pathType,
  also = [],
}: IngressSpec): readonly Required<IngressPlace>[] {
  const main = { host, path: path ?? defaults.ingress.path, pathType: pathType ?? defaults.ingress.pathType };
  const others = also.map((place) => ({
    host: place.host ?? host,
    path: place.path ?? defaults.ingress.path,
    pathType: place.pathType ?? defaults.ingress.pathType,
  }));
  return [main, ...others];
}

/** One more way by which clients reach the model: the objects of a router. */
export interface RouteBeside {
  readonly router: RouterName;
  readonly ingress: IngressSpec;
}

/** One model, resolved: every default filled in by whoever builds it, no Pulumi inputs. */
export interface ModelSpec {
  readonly name: string;
  readonly namespace: string;
  readonly server: ModelServer;
  readonly slots: Readonly<Record<Slot, SlotSpec>>;
  readonly ingress: IngressSpec;
  readonly router: RouterName;
  readonly previewHeader: string;
  /** Clients that get a release under test. @default none */
  readonly testers?: Testers | undefined;
  readonly identity: IdentityProbe | undefined;
  /** Port of the slots' Services. */
  readonly servicePort: number;
  /** @default none */
  readonly service?: ServiceSettings;
  readonly adopted?: AdoptedModel;
  /** Routers whose objects are kept in step with those of `router`, while the model moves from one to another. @default none */
  readonly besides?: readonly RouteBeside[];
}
