import type { PresetName, PresetServer } from "../../component/servers/preset-server.ts";
import type { IdentityProbe } from "../../core/identity.ts";
import type { IngressSpec, ModelServer, SlotSpec } from "../../core/model.ts";
import type { ServiceSettings } from "../../core/release-contents.ts";
import type { RouterName } from "../../core/router-names.ts";
import type { Slot } from "../../core/slots.ts";
import type { RoutingOptions } from "../../core/testers.ts";
import type { CounterSource } from "../../gates/io.ts";
import type { ControllerPlaces } from "../../gates/traffic.ts";
import type { KubeconfigSource } from "../../kubernetes/connect.ts";
import type { ResolvedRollout, RolloutConfig } from "../rollout/rollout-types.ts";

export type { ResolvedRollout, RolloutConfig, WarmUpConfig } from "../rollout/rollout-types.ts";

/** What a release runs in the template form: a slot without the parts that belong to the slot itself. */
export type ReleaseTemplate = Omit<SlotSpec, keyof SlotOnly> & { readonly image: string };

/** What belongs to a slot itself, whatever it runs. */
export type SlotOnly = Pick<SlotSpec, "selector" | "release" | "deployment" | "service" | "autoscaler">;

/** Value of a header: a text, an environment variable where modelswitch runs, or the key of a Secret beside the model. */
export type HeaderSource =
  | string
  | { readonly env: string }
  | { readonly secret: string; readonly key: string };

/** As a configuration file has it: a config file may be read from beside it, and what older releases had is the record's to know. */
export type Written<T extends Pick<SlotSpec, "configFiles">> = Omit<T, "configFiles" | "podDefaults"> & {
  /** Files by their absolute path in the server's container: contents, or `{ file: PATH }`, relative to the configuration file. */
  readonly configFiles?: Readonly<Record<string, string | { readonly file: string }>>;
};

/** `modelswitch.config.ts`: what `defineConfig` takes. */
export interface ModelswitchConfig {
  /** Name of the model; names of all objects derive from it. */
  readonly name: string;
  /** @default the context's namespace, else default */
  readonly namespace?: string;
  /**
   * A preset by name, or with options: a server made with `triton({...})`, `custom({...})` or another function, or the same as data,
   * `{ preset: "triton", ... }`. @default custom on port 8080
   */
  readonly server?: PresetName | PresetServer | ModelServer;
  /** The template of the next release (`up` puts release 1 into blue). Either this, or `slots` that say what runs. */
  readonly release?: Written<ReleaseTemplate>;
  /**
   * What both slots run, as in the seed: then both run and `switch` moves between them. Beside `release` only what belongs to the slots
   * themselves: `selector`, and names of objects that were there before (`deployment`, `service`, `autoscaler`).
   */
  readonly slots?: { readonly blue: Written<SlotSpec>; readonly green: Written<SlotSpec> };
  /** The slot that gets the traffic when the Ingress is created. @default blue */
  readonly live?: Slot;
  /** Replicas of the idle slot in the template form. @default 0 */
  readonly idleReplicas?: number;
  readonly ingress: IngressSpec & {
    /** Where the proof connects, for controllers not on port 80 or 443, for example `["http://127.0.0.1:8080"]`. @default the Ingress's addresses */
    readonly endpoints?: readonly string[];
    /**
     * How many replicas of the ingress controller may answer at one address, 1 to 100: a proof that a slot gets nothing any more asks until a
     * single one that is behind would have been noticed. @default 3
     */
    readonly controllerReplicas?: number;
    /** What a proof, and `request` gates, send to the ingress beside what clients send. */
    readonly probe?: {
      /** Headers by name, for an ingress that asks for credentials. @default no headers */
      readonly headers?: Readonly<Record<string, HeaderSource>>;
    };
  };
  /** Port of the slots' Services. @default 80 */
  readonly servicePort?: number;
  /** What the Services of both slots have beside their selector and that port. @default none */
  readonly service?: ServiceSettings;
  /** @default nginx */
  readonly router?: RouterName;
  /** @default X-Modelswitch-Preview */
  readonly previewHeader?: string;
  /** Who gets a new release before others while it goes live, and who keeps it. @default nobody, and each request for itself */
  readonly routing?: RoutingOptions;
  /** How an answer is recognised as blue's or green's. @default the preset's */
  readonly identity?: IdentityProbe;
  /** Path of a kubeconfig, relative to this file; `~/` is the home folder. @default the one that kubectl uses */
  readonly kubeconfig?: string;
  /** Context of the kubeconfig. @default its current one */
  readonly context?: string;
  readonly pulumi?: {
    /** @default modelswitch-NAME */
    readonly project?: string;
    /** @default the namespace */
    readonly stack?: string;
    /** Any Pulumi backend URL. @default Secrets beside the model; with `secretsProvider` a file backend in .modelswitch/state beside the config file */
    readonly backend?: string;
    /** A Pulumi secrets provider, for example `awskms://…`. @default a key beside the state in the cluster; with `backend` a passphrase from PULUMI_CONFIG_PASSPHRASE(_FILE), else asked for */
    readonly secretsProvider?: string;
  };
  readonly deadlines?: {
    /** Seconds until all replicas of a slot must be ready. @default 600 */
    readonly ready?: number;
    /** Seconds until a change must be proved at the ingress. @default 60 */
    readonly proof?: number;
  };
  /** Where clients' requests are counted, for the gates that compare them. @default found by itself */
  readonly metrics?: MetricsConfig;
  /** How `modelswitch release` takes a new release live. */
  readonly rollout?: RolloutConfig;
}

/** Where clients' requests are counted. */
export interface MetricsConfig {
  /** The ingress controller: an address for each of its replicas, or its pods. @default found by itself */
  readonly controller?: ControllerPlaces;
  /** A Prometheus that scrapes the ingress controller, asked where the controller itself cannot be read. @default no Prometheus */
  readonly prometheus?: {
    /** For example `http://prometheus.monitoring:9090`, with the path that its API is below. */
    readonly url: string;
    /** What it is asked with, for example `authorization`: a text, `{ env }` or `{ secret, key }`. @default none */
    readonly headers?: Readonly<Record<string, HeaderSource>>;
  };
}

/**
 * What a part of the configuration says: any keys of it. `null` removes what a more general part says; objects are merged, lists
 * and everything else replaced.
 */
type Part<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [K in keyof T]?: Part<NonNullable<T[K]>> | null | undefined }
    : T;

/** Any keys of a model but its name, as `defaults`, `models` and `environments` have them. */
export type ModelPart = Part<Omit<ModelswitchConfig, "name" | "server" | "identity">> & {
  /** One thing: replaced whole. */
  readonly server?: ModelswitchConfig["server"] | null | undefined;
  /** One thing: replaced whole. */
  readonly identity?: ModelswitchConfig["identity"] | null | undefined;
};

interface ConfigHead<Environment extends string> {
  /** Version of the file's shape. @default 1 */
  readonly configVersion?: 0 | 1;
  /** The environment that is taken when none is named. @default the only one */
  readonly defaultEnvironment?: NoInfer<Environment>;
}

/** What a file with one model has beside the model. */
interface OneModelFile<Environment extends string> extends ConfigHead<Environment> {
  /** What each environment has otherwise. */
  readonly environments?: Readonly<Record<Environment, ModelPart | null>>;
}

/** A configuration file with one model; every environment has a stack, and should have a namespace or a context, of its own. */
export interface OneModelConfig<Environment extends string = string>
  extends ModelswitchConfig,
    OneModelFile<Environment> {}

/** The same but for its router, whose name stands for what the others may ask of it. */
export interface UnroutedConfig<Environment extends string>
  extends Omit<ModelswitchConfig, "router">,
    OneModelFile<Environment> {}

/** A configuration file with several models, each of which is put together from `defaults`, its own part and the environment's. */
export interface SeveralModelsConfig<Model extends string = string, Environment extends string = string>
  extends ConfigHead<Environment> {
  /** What all models have, unless they say otherwise. */
  readonly defaults?: ModelPart;
  /** The models by name. */
  readonly models: Readonly<Record<Model, ModelPart | null>>;
  /** What each environment has otherwise: keys of every model, and of single ones in `models`. */
  readonly environments?: Readonly<
    Record<
      Environment,
      (ModelPart & { readonly models?: { readonly [M in NoInfer<Model>]?: ModelPart | null } }) | null
    >
  >;
}

/** The configuration with every default filled in, validated. */
export interface ResolvedConfig {
  /** The file it came from. */
  readonly file: string;
  /** Whether there is no such file, and this is what the cluster remembers of the model. @default false */
  readonly remembered?: boolean;
  /** Folder of the file: the Pulumi project. */
  readonly folder: string;
  readonly name: string;
  /** `undefined`: the file declares no environments. */
  readonly environment?: string | undefined;
  /** `undefined`: the context's. */
  readonly namespace: string | undefined;
  readonly server: ModelServer;
  readonly runs:
    | {
        readonly form: "template";
        readonly release: ReleaseTemplate;
        readonly idleReplicas: number;
        /** @default names and selectors derive from the model's name */
        readonly slots?: Readonly<Record<Slot, SlotOnly>>;
      }
    | { readonly form: "slots"; readonly slots: Readonly<Record<Slot, SlotSpec>> };
  readonly initialLive: Slot;
  readonly ingress: IngressSpec;
  readonly endpoints: readonly string[];
  readonly controllerReplicas: number;
  /** What a proof sends beside its own headers. @default none */
  readonly probeHeaders?: Readonly<Record<string, HeaderSource>>;
  readonly servicePort: number;
  /** @default none */
  readonly service?: ServiceSettings;
  readonly router: RouterName;
  readonly previewHeader: string;
  /** @default none */
  readonly routing?: RoutingOptions;
  readonly identity: IdentityProbe | undefined;
  readonly kubeconfig: KubeconfigSource;
  readonly pulumi: {
    readonly project: string;
    readonly stack: string;
    readonly backendUrl: string | undefined;
    readonly secretsProvider: string | undefined;
  };
  readonly deadlines: { readonly readyMs: number; readonly proofMs: number };
  /** @default found by itself */
  readonly metrics?: {
    readonly controller?: readonly CounterSource[];
    readonly prometheus?: { readonly url: string; readonly headers: Readonly<Record<string, HeaderSource>> };
  };
  readonly rollout: ResolvedRollout;
}
