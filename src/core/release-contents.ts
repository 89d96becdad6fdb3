/** The parts of what a slot runs that need more than a word: pure types, shared by component, configuration and record. */

/** A variable whose value is in a Secret or a ConfigMap of the model's namespace. */
export type EnvReference =
  | {
      /** Name of the Secret. */
      readonly secret: string;
      readonly key: string;
      /** Start without it where it is missing. @default false */
      readonly optional?: boolean;
    }
  | {
      /** Name of the ConfigMap. */
      readonly configMap: string;
      readonly key: string;
      /** Start without it where it is missing. @default false */
      readonly optional?: boolean;
    };

/** Value of an environment variable. */
export type EnvValue = string | EnvReference;

/** Gets the model before the server starts. */
export interface ModelFetcher {
  /**
   * Image of the init container, called with two arguments: URI and folder, as KServe's storage initializer is.
   * @default KServe's storage initializer, kserve/storage-initializer:v0.16.0
   */
  readonly image?: string;
  /** @default IfNotPresent */
  readonly imagePullPolicy?: "Always" | "IfNotPresent" | "Never";
  /** Credentials and settings of the download. @default none */
  readonly env?: Readonly<Record<string, EnvValue>>;
  /** @default none */
  readonly resources?: ResourceAmounts;
  /**
   * How the digest is checked: `shell` needs `sh`, `find`, `sort` and `sha256sum` in the image; `built-in` calls the image
   * with the arguments `verify FOLDER DIGEST`, as modelswitch's own model fetcher understands.
   * @default shell
   */
  readonly verify?: "shell" | "built-in";
}

/** Where the model comes from, if it is not in the image. */
export interface ModelSource {
  /**
   * `s3://`, `gs://`, `az://ACCOUNT/CONTAINER/PATH`, `http://`, `https://`, `hf://ORGANISATION/MODEL[:REVISION]`: fetched by an
   * init container. `pvc://CLAIM/PATH`: a folder of a PersistentVolumeClaim. `oci://IMAGE`: an image as a volume (Kubernetes 1.35 or newer).
   */
  readonly uri: string;
  /**
   * `sha256:…`; the pod fails before the server starts where the model is another one. Of a single file its SHA-256; of several,
   * that of the list that `find . -type f | LC_ALL=C sort | xargs sha256sum` writes (without what
   * Hugging Face's client notes in `.cache/huggingface`); of an image its own digest.
   * @default not checked
   */
  readonly digest?: string;
  /** Folder of the server's container, read-only. @default /mnt/models */
  readonly mountPath?: string;
  readonly fetcher?: ModelFetcher;
}

/** What a container asks for and may use, for example `{ requests: { cpu: "500m", memory: "1Gi" } }`. */
export interface ResourceAmounts {
  readonly requests?: Readonly<Record<string, string>>;
  readonly limits?: Readonly<Record<string, string>>;
}

/** Whole GPUs per replica: a number of NVIDIA's, or of any resource that a device plug-in offers. */
export type GpuAmount = number | { readonly count: number; readonly resource: string };

/** A Secret as files. */
export interface SecretMount {
  /** Name of the Secret. */
  readonly secret: string;
  /** Folder of the server's container, read-only; every key is a file there. */
  readonly mountPath: string;
}

/** Size by load: a HorizontalPodAutoscaler per slot. */
export interface Autoscaling {
  /** Fewest replicas. */
  readonly min: number;
  /** Most replicas. */
  readonly max: number;
  /** Per cent of the requested CPU to aim at. @default 80, where neither `memory` nor `metrics` is given */
  readonly cpu?: number;
  /** Per cent of the requested memory to aim at. @default none */
  readonly memory?: number;
  /** More metrics, as in `autoscaling/v2`. @default none */
  readonly metrics?: readonly object[];
  /** `behavior` of `autoscaling/v2`. @default Kubernetes' own */
  readonly behavior?: object;
  /** Labels of the HorizontalPodAutoscalers. @default none but ours */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the HorizontalPodAutoscalers, by which adapters of metrics may be told what to measure. @default none */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** How many replicas a node drain may take at a time: a PodDisruptionBudget per slot, or `false` for none. */
export type DisruptionBudget =
  | false
  | { readonly maxUnavailable: number | string }
  | { readonly minAvailable: number | string };

export interface Toleration {
  readonly key?: string;
  /** @default Equal */
  readonly operator?: "Equal" | "Exists";
  readonly value?: string;
  /** @default all */
  readonly effect?: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
  /** Seconds that a pod stays on a node with this taint; only with NoExecute. */
  readonly tolerationSeconds?: number;
}

/** Spreads a slot's replicas over nodes, zones or whatever a node label says. */
export interface TopologySpread {
  /** Label of the nodes, for example `topology.kubernetes.io/zone`. */
  readonly topologyKey: string;
  /** @default 1 */
  readonly maxSkew?: number;
  /** @default ScheduleAnyway */
  readonly whenUnsatisfiable?: "DoNotSchedule" | "ScheduleAnyway";
}

/** Where and as whom the pods run, and what else is in them. Objects without a type of their own are as in a Kubernetes pod. */
export interface PodSettings {
  /** More labels; those of modelswitch and of the selector cannot be changed. */
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly tolerations?: readonly Toleration[];
  readonly affinity?: object;
  /** @default the cluster's */
  readonly topologySpread?: readonly TopologySpread[];
  /** Name of a ServiceAccount. Its token is only mounted with `mountServiceAccountToken`. @default default */
  readonly serviceAccount?: string;
  /** @default false */
  readonly mountServiceAccountToken?: boolean;
  readonly priorityClass?: string;
  readonly runtimeClass?: string;
  /** Over the default: `seccompProfile: { type: "RuntimeDefault" }`. */
  readonly securityContext?: object;
  /** Names of Secrets with registry credentials. */
  readonly imagePullSecrets?: readonly string[];
  /** Containers beside the server's, each with `name` and `image`. */
  readonly containers?: readonly object[];
  /** Run before the server, and after the model is there. */
  readonly initContainers?: readonly object[];
  readonly volumes?: readonly object[];
}

/**
 * Fields as Kubernetes has them, for what has no word of its own here. Each replaces what modelswitch would write in its place, so that a
 * release is exactly as it was before it was adopted, or has what only few need.
 */
export interface KubernetesFields {
  /** Labels of the Deployment itself, which no pod gets. @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the Deployment itself. @default none */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Fields of the Deployment's `spec`, for example `{ minReadySeconds: 10 }`. @default none */
  readonly deployment?: object;
  /** Fields of the pod's `spec`, for example `{ hostAliases: [...] }`. @default none */
  readonly pod?: object;
  /** Fields of the server's container, for example `{ lifecycle: {...} }`; variables in its `env` come before those of `env`. @default none */
  readonly container?: object;
}

/** What the Services of both slots have beside their selector and the port that the Ingress leads to. */
export interface ServiceSettings {
  /** @default none */
  readonly labels?: Readonly<Record<string, string>>;
  /** @default none */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Fields of the Service's `spec` as Kubernetes has them, for example `{ sessionAffinity: "ClientIP" }`. @default none */
  readonly kubernetes?: object;
}

/** Names of containers and volumes that modelswitch makes itself. */
export const ownContainerNames = ["model", "fetch-model", "verify-model"] as const;
export const ownVolumeNames = ["model", "config-files"] as const;

/** Exit code of the init container that found another model than the digest says (EX_DATAERR). */
export const digestMismatchExitCode = 65;
