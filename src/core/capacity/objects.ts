/** The fields of nodes and pods that say where a pod fits; everything is optional, as in what an API server sends. */

export type Labels = Readonly<Record<string, string>>;
/** Amounts as Kubernetes writes them, for example `{ cpu: "500m" }`. */
export type Quantities = Readonly<Record<string, string | number>>;

export interface ContainerShape {
  readonly resources?: { readonly requests?: Quantities; readonly limits?: Quantities };
  /** `Always`: an init container that runs on beside the others. */
  readonly restartPolicy?: string;
}

export interface TolerationShape {
  readonly key?: string;
  readonly operator?: string;
  readonly value?: string;
  readonly effect?: string;
}

export interface SelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly SelectorRequirement[];
  readonly matchFields?: readonly SelectorRequirement[];
}

export interface PodSpecShape {
  readonly nodeName?: string;
  readonly containers?: readonly ContainerShape[];
  readonly initContainers?: readonly ContainerShape[];
  readonly overhead?: Quantities;
  /** Of the whole pod, where it has some. */
  readonly resources?: { readonly requests?: Quantities; readonly limits?: Quantities };
  readonly nodeSelector?: Labels;
  readonly tolerations?: readonly TolerationShape[];
  readonly runtimeClassName?: string;
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms?: readonly NodeSelectorTerm[];
      };
    };
  };
}

export interface NodeShape {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Labels;
    readonly annotations?: Labels;
  };
  readonly spec?: {
    readonly unschedulable?: boolean;
    readonly taints?: readonly { readonly key: string; readonly value?: string; readonly effect: string }[];
  };
  readonly status?: { readonly allocatable?: Quantities };
}
