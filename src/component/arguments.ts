import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type {
  AdoptedModel,
  BackendProtocol,
  GatewayRef,
  IngressSpec,
  ModelServer,
  RouteBeside,
  SlotSpec,
} from "../core/model.ts";
import type { PodSettings, ServiceSettings } from "../core/release-contents.ts";
import type { RouterName } from "../core/router-names.ts";
import type { Routing } from "../core/routing.ts";
import type { Slot } from "../core/slots.ts";
import type { Testers } from "../core/testers.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";
import type { EnvInput } from "./pod/env.ts";
import type { VersionInputs } from "./pod/versions.ts";

/** What one slot runs. Without `image` the slot has only a Service, and somebody else runs the pods. */
export interface SlotArgs
  extends Omit<
    SlotSpec,
    | "image"
    | "replicas"
    | "env"
    | "command"
    | "args"
    | "securityContext"
    | "volumeMounts"
    | "versions"
    | "pod"
  > {
  /** Image of the model server, best with its digest: `registry/fraud:1.5@sha256:…`. */
  readonly image?: pulumi.Input<string>;
  /** Either this or `autoscaling`; with that, 0 empties the slot. @default 1 */
  readonly replicas?: pulumi.Input<number>;
  /** Environment; wins over the server preset's. A value is a text, or names the key of a Secret or ConfigMap. */
  readonly env?: Readonly<Record<string, EnvInput>>;
  /** Replaces the image's entry point. @default the image's own */
  readonly command?: readonly pulumi.Input<string>[];
  /** Arguments for the entry point. @default the image's own */
  readonly args?: readonly pulumi.Input<string>[];
  /** Over the defaults of the server's container: no privilege escalation, no capabilities. */
  readonly securityContext?: k8s.types.input.core.v1.SecurityContext;
  /** More mounts of the server's container, of volumes in `pod.volumes`. */
  readonly volumeMounts?: readonly k8s.types.input.core.v1.VolumeMount[];
  /** Versions of what is referred to; a change replaces the pods, for example `{ token: secret.metadata.resourceVersion }`. @default none */
  readonly versions?: VersionInputs;
  /** Where and as whom the pods run, and what else is in them. */
  readonly pod?: PodArgs;
}

/** Where and as whom the pods run, and what else is in them. */
export interface PodArgs
  extends Omit<PodSettings, "affinity" | "securityContext" | "containers" | "initContainers" | "volumes"> {
  readonly affinity?: k8s.types.input.core.v1.Affinity;
  /** Over the default: `seccompProfile: { type: "RuntimeDefault" }`. */
  readonly securityContext?: k8s.types.input.core.v1.PodSecurityContext;
  /** Containers beside the server's, each with `name` and `image`. */
  readonly containers?: readonly k8s.types.input.core.v1.Container[];
  /** Run before the server, and after the model is there. */
  readonly initContainers?: readonly k8s.types.input.core.v1.Container[];
  readonly volumes?: readonly k8s.types.input.core.v1.Volume[];
}

/** How clients reach the model. */
export interface IngressArgs {
  /** Name of the Ingress; never changes after creation. @default NAME */
  readonly name?: string;
  /** Name of the second Ingress of routers that have one; never changes after creation. @default NAME-canary */
  readonly canaryName?: string;
  /** @default nginx */
  readonly className?: pulumi.Input<string>;
  /**
   * Names the class by the annotation `kubernetes.io/ingress.class`, as before there were IngressClasses: for an Ingress that does so
   * already, and controllers that know no other way. @default false
   */
  readonly classAnnotation?: boolean;
  /** The Gateway that takes the requests, for a router of Gateways. @default no Gateway */
  readonly gateway?: GatewayRef;
  /** Host name that clients use, for example `mlmodels.example.com`. */
  readonly host: pulumi.Input<string>;
  /** @default / */
  readonly path?: string;
  /** @default Prefix */
  readonly pathType?: NonNullable<IngressSpec["pathType"]>;
  /** More hosts and paths that lead to the model. @default none */
  readonly also?: readonly {
    /** @default the host above */
    readonly host?: pulumi.Input<string>;
    /** @default / */
    readonly path?: string;
    /** @default Prefix */
    readonly pathType?: NonNullable<IngressSpec["pathType"]>;
  }[];
  readonly tls?: readonly {
    /** Empty: the entry names none. @default all hosts */
    readonly hosts?: readonly pulumi.Input<string>[];
    /** @default the controller's default certificate */
    readonly secretName?: pulumi.Input<string>;
  }[];
  /** Seconds that the controller waits for the model server's answer. @default the controller's own, mostly 60 */
  readonly timeout?: number;
  /** Largest request: a quantity such as `64Mi`, or `unlimited`. @default the controller's own */
  readonly maxBodySize?: string;
  /** What the controller speaks with the model server. @default http */
  readonly protocol?: BackendProtocol;
  /** Free annotations of the main Ingress; those that the router owns are refused. */
  readonly annotations?: Readonly<Record<string, pulumi.Input<string>>>;
}

/** Arguments of `BlueGreenModel`; docs/component.md explains them. */
export interface BlueGreenModelArgs {
  /** @default the provider's namespace */
  readonly namespace?: pulumi.Input<string>;
  /** What blue and green run. */
  readonly slots: Readonly<Record<Slot, SlotArgs>>;
  /** The slot that carries production traffic. Changing it and running `pulumi up` is a switch. */
  readonly live: Slot;
  /** What the routing objects say, while traffic is on its way between the slots. @default all traffic to `live` */
  readonly routing?: Routing;
  /** @default custom() */
  readonly server?: ModelServer;
  /** @default nginx */
  readonly router?: RouterName;
  readonly ingress: IngressArgs;
  /** Header that shows the other slot: `always` or `never`. @default X-Modelswitch-Preview */
  readonly previewHeader?: string;
  /** Clients that get the slot that `routing.testers` names. @default none */
  readonly testers?: Testers;
  /** Port of the slots' Services. @default 80 */
  readonly servicePort?: number;
  /** What the Services of both slots have beside their selector and that port. @default none */
  readonly service?: ServiceSettings;
  /**
   * Before an update sends more traffic to a slot, look whether all its replicas are ready; before one empties a slot, look
   * whether it carries traffic. `false` switches this off. A kubeconfig says how to reach the cluster, where the component's
   * provider is given another one than the configuration `kubernetes:kubeconfig` or the ambient one.
   * @default true
   */
  readonly guard?: boolean | GuardKubeconfig;
  /** Objects that existed before the model; `modelswitch adopt` fills this in. @default none */
  readonly adopted?: AdoptedModel;
  /**
   * Routers whose objects are kept in step with those of `router`, while clients move from one to another; what they say of the ingress is
   * complete, with plain values. `modelswitch migrate` fills this in. @default none
   */
  readonly besides?: readonly RouteBeside[];
}

/** The cluster that the guard asks. */
export type GuardKubeconfig = Omit<KubeconfigSource, "contents"> & {
  readonly contents?: pulumi.Input<string>;
};
