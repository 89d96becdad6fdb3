import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { defaults } from "../core/defaults.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import type {
  AdoptedModel,
  BackendProtocol,
  GatewayRef,
  IngressSpec,
  ModelServer,
  RouteBeside,
  SlotSpec,
} from "../core/model.ts";
import {
  defaultPreviewHeader,
  modelNamePattern,
  namesOfModel,
  type ObjectNames,
  ownLabels,
  slotLabels,
} from "../core/names.ts";
import type { PodSettings, ServiceSettings } from "../core/release-contents.ts";
import { requestProblems } from "../core/request-rules.ts";
import type { RouterName } from "../core/router-names.ts";
import { type Routing, settledOn } from "../core/routing.ts";
import { slotProblems } from "../core/slot-rules/slot-rules.ts";
import { isSlot, type Slot, slots } from "../core/slots.ts";
import type { Testers } from "../core/testers.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";
import type { EnvInput } from "./pod/env.ts";
import type { VersionInputs } from "./pod/versions.ts";
import { requireCapability, requireRequestCapabilities, routerNamed } from "./routers/factory.ts";
import { refuseOwnedAnnotations } from "./routers/main-ingress.ts";
import type { Router } from "./routers/router.ts";
import { requireRoutingCapabilities } from "./routers/routing-wishes.ts";
import { refuseSharedObjects, together } from "./routers/together.ts";
import { custom } from "./servers/custom.ts";

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

/** The arguments with their defaults, checked. */
export interface ResolvedArgs {
  readonly names: ObjectNames;
  readonly router: Router;
  readonly routing: Routing;
  readonly server: ModelServer;
  readonly previewHeader: string;
  readonly servicePort: number;
}

/**
 * Fills in defaults and refuses what can be known to be wrong before anything is planned.
 * @throws UserError
 */
export function resolveArgs(name: string, args: BlueGreenModelArgs): ResolvedArgs {
  const refuse = (code: string, message: string, hint?: string): never => {
    throw new UserError({
      code,
      message: `BlueGreenModel "${name}": ${message}`,
      ...(hint === undefined ? {} : { hint }),
      exitCode: exitCodes.usage,
    });
  };
  if (!modelNamePattern.test(name)) {
    refuse(
      "name-invalid",
      "the name must be at most 52 lower-case letters, digits and dashes, starting with a letter, because the names of all objects derive from it.",
    );
  }
  if (!isSlot(args.live))
    refuse("live-invalid", `live is ${JSON.stringify(args.live)}, but must be "blue" or "green".`);
  const routing = args.routing ?? settledOn(args.live);
  if (routing.main !== args.live && routing.candidate !== args.live) {
    refuse(
      "routing-invalid",
      `live is "${args.live}", but the routing sends everything to "${routing.main}".`,
      "Let `live` be one of the routing's slots.",
    );
  }
  const router = together(routerNamed(args.router ?? defaults.router), args.besides ?? []);
  const previewHeader = args.previewHeader ?? defaults.previewHeader;
  if (previewHeader !== defaultPreviewHeader) requireCapability(router, "header", "previewHeader");
  if (!/^[A-Za-z0-9-]+$/.test(previewHeader)) {
    refuse(
      "header-invalid",
      `previewHeader is "${previewHeader}", but must be letters, digits and dashes, for example ${defaultPreviewHeader}.`,
    );
  }
  requireRoutingCapabilities(router, { testers: args.testers, routing }, previewHeader);
  const servicePort = args.servicePort ?? defaults.servicePort;
  if (!Number.isInteger(servicePort) || servicePort < 1 || servicePort > 65_535) {
    refuse("port-invalid", `servicePort is ${servicePort}, but must be a whole number from 1 to 65535.`);
  }
  const { ingress } = args;
  if (args.server?.http === false && ingress.protocol !== "grpc") {
    refuse(
      "server-invalid",
      `the model server has no HTTP, so ingress.protocol must be "grpc", but is "${ingress.protocol ?? "http"}".`,
    );
  }
  if (ingress.host === "")
    refuse("host-missing", "ingress.host is empty.", 'For example "mlmodels.example.com".');
  for (const { path } of [ingress, ...(ingress.also ?? [])]) {
    if (path !== undefined && !path.startsWith("/"))
      refuse("path-invalid", `ingress.path is "${path}", but must start with "/".`);
  }
  requireRequestCapabilities(router, ingress);
  for (const [key, message] of Object.entries(requestProblems(ingress))) {
    refuse("ingress-invalid", `ingress.${key} ${message}.`);
  }
  refuseOwnedAnnotations(
    router.name,
    {
      annotations: known(ingress.annotations ?? {}),
      className: typeof ingress.className === "string" ? ingress.className : defaults.ingress.className,
    },
    {},
  );
  const blue = selectorOf(name, "blue", args);
  const green = selectorOf(name, "green", args);
  // A slot's pods have the model's own labels, too: a Service that selects by those would take both.
  const podsOf = (selector: Readonly<Record<string, string>>) => ({ ...ownLabels(name), ...selector });
  if (selectsAllOf(blue, podsOf(green)) || selectsAllOf(green, podsOf(blue))) {
    refuse(
      "selectors-overlap",
      `the slots share pods: blue selects ${JSON.stringify(blue)}, green ${JSON.stringify(green)}.`,
      'Each slot needs pods of its own, for example { app: "fraud", version: "blue" } and { app: "fraud", version: "green" }.',
    );
  }
  for (const slot of slots) {
    const { image, replicas } = args.slots[slot];
    if (image === "")
      refuse(
        "image-empty",
        `the image of ${slot} is empty.`,
        "Leave `image` out if somebody else runs the pods.",
      );
    if (typeof replicas === "number" && !(Number.isInteger(replicas) && replicas >= 0)) {
      refuse(
        "replicas-invalid",
        `${slot} has ${replicas} replicas, but must have a whole number of them, 0 or more.`,
      );
    }
    const [wrong] = slotProblems({ ...args.slots[slot], selector: selectorOf(name, slot, args) });
    if (wrong !== undefined)
      refuse("slot-invalid", `slots.${slot}.${wrong.path.map(String).join(".")} ${wrong.message}.`);
  }
  const server = args.server ?? custom();
  const names = namesOfModel(name, args.slots, args.ingress);
  for (const beside of args.besides ?? []) {
    refuseSharedObjects(names, routerNamed(args.router ?? defaults.router), beside);
    requireRequestCapabilities(routerNamed(beside.router), beside.ingress);
  }
  return { names, router, routing, server, previewHeader, servicePort };
}

/** The labels of a slot's pods. */
export function selectorOf(
  name: string,
  slot: Slot,
  args: BlueGreenModelArgs,
): Readonly<Record<string, string>> {
  return args.slots[slot].selector ?? slotLabels(name, slot);
}

/** Whether every pod that `narrow` selects is selected by `wide`, too. */
function selectsAllOf(
  wide: Readonly<Record<string, string>>,
  narrow: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wide).every(([label, value]) => narrow[label] === value);
}

/** Values that are not known yet are shown as such in messages. */
function known(values: Readonly<Record<string, pulumi.Input<string>>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).map(([key, value]) => [key, typeof value === "string" ? value : "(computed)"]),
  );
}
