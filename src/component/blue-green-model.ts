import { AsyncResource } from "node:async_hooks";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { beginning } from "../core/identity-path.ts";
import type { IngressSpec } from "../core/model.ts";
import { ownLabels } from "../core/names.ts";
import { podScheme } from "../core/pod-address.ts";
import { splitOf } from "../core/routing.ts";
import { type Slot, slots } from "../core/slots.ts";
import { type Adopting, adopting } from "./adopted.ts";
import {
  type BlueGreenModelArgs,
  type ResolvedArgs,
  resolveArgs,
  type SlotArgs,
  selectorOf,
} from "./arguments.ts";
import { autoscalerSpec } from "./autoscaling.ts";
import { deploymentSpec, releaseLabel } from "./deployment.ts";
import { disruptionBudgetSpec } from "./disruption.ts";
import { endpointOf } from "./endpoint.ts";
import { type Guard, guardHooks } from "./hooks.ts";
import { type ConfigFiles, configMapData, configMapName, configMaps } from "./pod/config-files.ts";
import { versionsText } from "./pod/versions.ts";
import { withPodDefaults } from "./pod-defaults.ts";
import { backendPort, serviceFields } from "./service-port.ts";

/** What is known of a slot once it is there. */
export interface SlotOutputs {
  readonly serviceName: pulumi.Output<string>;
  /** `undefined` where somebody else runs the pods. */
  readonly deploymentName: pulumi.Output<string> | undefined;
  /** Number of the release that the slot runs, where one was given. */
  readonly release: number | undefined;
}

/**
 * A model served by two identical environments, blue and green, behind one Ingress. Both slots are permanent: a Service with
 * a constant selector each, and a Deployment where an image is given. A switch changes nothing but the Ingress.
 */
export class BlueGreenModel extends pulumi.ComponentResource {
  /** The Ingress's hostname, else its IP address; `undefined` while it has none. */
  readonly endpoint: pulumi.Output<string | undefined>;
  /** The slot that carries production traffic. */
  readonly live: pulumi.Output<Slot>;
  readonly slots: Readonly<Record<Slot, SlotOutputs>>;
  readonly ingressName: pulumi.Output<string>;
  /** Where clients find the model, by the host of the Ingress. */
  readonly url: pulumi.Output<string>;

  /** @throws UserError where the arguments contradict each other or the router */
  constructor(name: string, args: BlueGreenModelArgs, opts: pulumi.ComponentResourceOptions = {}) {
    const resolved = resolveArgs(name, args);
    super("modelswitch:index:BlueGreenModel", name, {}, opts);
    const guard = guardHooks(name, resolved.names, resolved.router, args.guard ?? true, {
      namespace: args.namespace,
      autoscaled: autoscaled(args),
      live: slots.filter((slot) => splitOf(resolved.routing)[slot] > 0),
      withoutImage: slots.filter((slot) => args.slots[slot].image === undefined),
      // Hooks are called from outside of an inline program, and would speak to nobody.
      say: AsyncResource.bind((message: string) => pulumi.log.warn(message, this)),
    });
    const adopted = adopting(args.adopted, args.namespace);

    const files = this.#configMaps(name, args);
    const blue = this.#slot(name, "blue", args, resolved, guard, adopted, files);
    const green = this.#slot(name, "green", args, resolved, guard, adopted, files);
    const ingress = this.#ingresses(name, args, resolved, guard, adopted, [
      ...blue.resources,
      ...green.resources,
    ]);

    this.endpoint = ingress.status.apply(endpointOf);
    this.live = pulumi.output(args.live);
    this.slots = { blue: blue.outputs, green: green.outputs };
    this.ingressName = ingress.metadata.name;
    const scheme = (args.ingress.tls ?? []).length > 0 ? "https" : "http";
    this.url = pulumi.interpolate`${scheme}://${args.ingress.host}${beginning(args.ingress.path ?? "/")}`;
    this.registerOutputs({
      endpoint: this.endpoint,
      live: this.live,
      slots: this.slots,
      ingressName: this.ingressName,
      url: this.url,
    });
  }

  /** The versions of the config files that the slots refer to, by name; an old one stays until no slot needs it. */
  #configMaps(model: string, args: BlueGreenModelArgs): ReadonlyMap<string, k8s.core.v1.ConfigMap> {
    const wanted = configMaps(model, (slot) => filesOf(args, slot));
    return new Map(
      [...wanted].map(([name, files]) => [
        name,
        new k8s.core.v1.ConfigMap(
          name,
          {
            metadata: {
              name,
              ...(args.namespace === undefined ? {} : { namespace: args.namespace }),
              labels: { app: model, ...ownLabels(model) },
            },
            immutable: true,
            data: configMapData(files),
          },
          { parent: this },
        ),
      ]),
    );
  }

  #slot(
    model: string,
    slot: Slot,
    args: BlueGreenModelArgs,
    { names, server, servicePort }: ResolvedArgs,
    guard: Guard,
    adopted: Adopting,
    configMapsByName: ReadonlyMap<string, k8s.core.v1.ConfigMap>,
  ) {
    const name = names.service[slot];
    const deploymentName = names.deployment[slot];
    const { image, release, autoscaling } = args.slots[slot];
    const files = filesOf(args, slot);
    const configMap = files === undefined ? undefined : configMapsByName.get(configMapName(model, files));
    const selector = selectorOf(model, slot, args);
    const labels = { app: model, version: slot, ...ownLabels(model) };
    const scaled = { ...autoscaling?.labels, ...labels };
    const own = args.slots[slot].kubernetes;
    const deploymentLabels = {
      ...own?.labels,
      ...labels,
      ...(release === undefined ? {} : { [releaseLabel]: String(release) }),
    };
    const inNamespace = args.namespace === undefined ? {} : { namespace: args.namespace };

    const service = new k8s.core.v1.Service(
      name,
      {
        metadata: {
          name,
          ...inNamespace,
          labels: { ...args.service?.labels, ...labels },
          // A slot may be empty, or its pods somebody else's: whether it is ready is asked when it is to get traffic.
          annotations: { ...args.service?.annotations, "pulumi.com/skipAwait": "true" },
          ...adopted.metadata(slot, "service", labels, args.service?.annotations),
        },
        spec: {
          type: "ClusterIP",
          selector: { ...selector },
          ports: [backendPort(args.ingress.protocol, servicePort, server)],
          ...serviceFields(args.service),
        },
      },
      { parent: this, ...guard.service(name), ...adopted.options(slot, "service", name) },
    );
    const deployment =
      image === undefined
        ? undefined
        : new k8s.apps.v1.Deployment(
            deploymentName,
            {
              metadata: {
                name: deploymentName,
                ...inNamespace,
                labels: deploymentLabels,
                ...(own?.annotations === undefined ? {} : { annotations: { ...own.annotations } }),
                ...adopted.metadata(slot, "deployment", deploymentLabels, own?.annotations),
              },
              spec: adopted.deploymentSpec(
                slot,
                withPodDefaults(
                  deploymentSpec(
                    model,
                    selector,
                    { ...args.slots[slot], image, versions: versionsText(args.slots[slot].versions) },
                    server,
                    podScheme(args.ingress.protocol, server),
                  ),
                  args.slots[slot].podDefaults,
                ),
              ),
            },
            {
              parent: this,
              // A refused change of the Service's selector must stop the Deployment from being replaced, too.
              dependsOn: configMap === undefined ? [service] : [service, configMap],
              ...guard.deployment(slot),
              ...adopted.options(slot, "deployment", deploymentName),
            },
          );
    const sizing =
      deployment === undefined
        ? []
        : this.#sizing(
            deploymentName,
            // Somebody else may have a budget for adopted pods, and no pod with two of them can be evicted.
            {
              ...(args.adopted?.slot === slot ? { disruptionBudget: false } : {}),
              ...args.slots[slot],
              ...(args.adopted?.slot === slot && args.adopted.budgeted === true
                ? { disruptionBudget: false }
                : {}),
            },
            selector,
            deployment,
            { ...inNamespace, labels },
            {
              name: names.autoscaler[slot],
              metadata: {
                labels: scaled,
                ...(autoscaling?.annotations === undefined
                  ? {}
                  : { annotations: { ...autoscaling.annotations } }),
                ...adopted.metadata(slot, "autoscaler", scaled, autoscaling?.annotations),
              },
              options: adopted.options(slot, "autoscaler", names.autoscaler[slot]),
            },
          );
    return {
      // The autoscaler belongs to the slot's readiness: traffic comes after it.
      resources: [service, ...(deployment === undefined ? [] : [deployment]), ...sizing],
      outputs: {
        serviceName: service.metadata.name,
        deploymentName: deployment?.metadata.name,
        release,
      } satisfies SlotOutputs,
    };
  }

  /** What keeps the right number of replicas: the autoscaler, and the budget for node drains. */
  #sizing(
    name: string,
    slot: SlotArgs,
    selector: Readonly<Record<string, string>>,
    deployment: k8s.apps.v1.Deployment,
    about: {
      readonly namespace?: pulumi.Input<string>;
      readonly labels: Readonly<Record<string, string>>;
    },
    autoscaler: {
      readonly name: string;
      readonly metadata: ReturnType<Adopting["metadata"]>;
      readonly options: pulumi.CustomResourceOptions;
    },
  ): pulumi.Resource[] {
    const { autoscaling, disruptionBudget, replicas } = slot;
    const metadata = { name, ...about };
    const options = { parent: this, dependsOn: deployment };
    const fewest = replicas === 0 ? 0 : (autoscaling?.min ?? replicas ?? 1);
    // A number that is not known yet has to be more than one to need a budget; nobody computes it to be one.
    const budget = disruptionBudgetSpec(disruptionBudget, typeof fewest === "number" ? fewest : 2, selector);
    return [
      ...(autoscaling === undefined
        ? []
        : [
            new k8s.autoscaling.v2.HorizontalPodAutoscaler(
              autoscaler.name,
              {
                metadata: { ...metadata, name: autoscaler.name, ...autoscaler.metadata },
                spec: autoscalerSpec(name, autoscaling),
              },
              { ...options, ...autoscaler.options },
            ),
          ]),
      ...(budget === undefined
        ? []
        : [new k8s.policy.v1.PodDisruptionBudget(name, { metadata, spec: budget }, options)]),
    ];
  }

  /** Writes the routing objects, the main one first: while both change, that order never takes traffic from where it goes. */
  #ingresses(
    model: string,
    args: BlueGreenModelArgs,
    { names, router, routing, previewHeader, servicePort }: ResolvedArgs,
    guard: Guard,
    adopted: Adopting,
    dependsOn: readonly pulumi.Resource[],
  ): k8s.networking.v1.Ingress {
    const manifests = pulumi.all([args.ingress, guard.registration]).apply(([known]) =>
      // Unwrapping keeps the shape: only the inputs in it have become their values.
      router.objects({
        model,
        names,
        routing,
        ingress: known as IngressSpec,
        previewHeader,
        servicePort,
        namespace: undefined,
      }),
    );
    const resources: k8s.networking.v1.Ingress[] = [];
    for (const [index, name] of router.objectNames(names).entries()) {
      const manifest = manifests.apply((all) => {
        const one = all[index];
        if (one === undefined) throw new Error(`The router "${router.name}" wrote no object ${name}.`);
        return one;
      });
      // The manifests are valid arguments; only their readonly modifiers are not those of the generated types.
      const spec =
        manifest.spec as pulumi.Output<object> as pulumi.Output<k8s.types.input.networking.v1.IngressSpec>;
      const labels = { app: model, ...ownLabels(model) };
      resources.push(
        new k8s.networking.v1.Ingress(
          name,
          {
            metadata: {
              // Said here once more, so that they are known in a preview even where the host is not.
              name,
              ...(args.namespace === undefined ? {} : { namespace: args.namespace }),
              labels: index === 0 ? adopted.ingressLabels(labels) : labels,
              annotations:
                index === 0
                  ? manifest.metadata.annotations.apply(adopted.ingressAnnotations)
                  : manifest.metadata.annotations,
            },
            spec,
          },
          {
            parent: this,
            dependsOn: [...dependsOn, ...resources],
            ...guard.ingress(index === 0),
            ...(index === 0 ? adopted.ingressOptions(name) : {}),
          },
        ),
      );
    }
    const [main] = resources;
    if (main === undefined) throw new Error(`The router "${router.name}" has no objects.`);
    return main;
  }
}

/** Files of a slot that runs something here. */
function filesOf({ slots: args }: BlueGreenModelArgs, slot: Slot): ConfigFiles | undefined {
  const { image, configFiles } = args[slot];
  const isEmpty = configFiles === undefined || Object.keys(configFiles).length === 0;
  return image === undefined || isEmpty ? undefined : configFiles;
}

/** The most replicas of each slot that an autoscaler sizes. */
function autoscaled({ slots: args }: BlueGreenModelArgs): Partial<Record<Slot, number>> {
  return Object.fromEntries(
    slots.flatMap((slot) => {
      const { autoscaling, replicas } = args[slot];
      return autoscaling === undefined || replicas === 0 ? [] : [[slot, autoscaling.max]];
    }),
  );
}
