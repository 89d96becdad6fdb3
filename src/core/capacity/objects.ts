/** The fields of nodes and pods that say where a pod fits; everything is optional, as in what an API server sends. */

export type Labels = Readonly<Record<string, string>>;
/** Amounts as Kubernetes writes them, for example `{ cpu: "500m" }`. */
export type Quantities = Readonly<Record<string, string | number>>;

export interface ContainerShape {
  readonly name?: string;
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

interface PodAffinityTerm {
  readonly namespaces?: readonly string[];
  readonly namespaceSelector?: object;
}

export interface PodAffinityShape {
  readonly requiredDuringSchedulingIgnoredDuringExecution?: readonly PodAffinityTerm[];
  readonly preferredDuringSchedulingIgnoredDuringExecution?: readonly {
    readonly podAffinityTerm?: PodAffinityTerm;
  }[];
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
  readonly priorityClassName?: string;
  readonly affinity?: {
    readonly podAffinity?: PodAffinityShape;
    readonly podAntiAffinity?: PodAffinityShape;
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

/** What a namespace says of the size of single pods and containers. */
export interface LimitRangeShape {
  readonly metadata?: { readonly name?: string };
  readonly spec?: {
    readonly limits?: readonly {
      readonly type?: string;
      readonly default?: Quantities;
      readonly defaultRequest?: Quantities;
      readonly min?: Quantities;
      readonly max?: Quantities;
      readonly maxLimitRequestRatio?: Quantities;
    }[];
  };
}

/** What all that is in a namespace may take together. */
export interface QuotaShape {
  readonly metadata?: { readonly name?: string };
  readonly spec?: {
    readonly hard?: Quantities;
    readonly scopes?: readonly string[];
    readonly scopeSelector?: {
      readonly matchExpressions?: readonly {
        readonly scopeName: string;
        readonly operator: string;
        readonly values?: readonly string[];
      }[];
    };
  };
  readonly status?: { readonly hard?: Quantities; readonly used?: Quantities };
}
