import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { ownLabels } from "../core/names.ts";
import { podScheme } from "../core/pod-address.ts";
import type { Slot } from "../core/slots.ts";
import type { Adopting } from "./adopted.ts";
import type { BlueGreenModelArgs, SlotArgs } from "./arguments.ts";
import { autoscalerSpec } from "./autoscaling.ts";
import { deploymentSpec, releaseLabel } from "./deployment.ts";
import { disruptionBudgetSpec } from "./disruption.ts";
import type { Guard } from "./hooks.ts";
import { type ConfigFiles, configMapName } from "./pod/config-files.ts";
import { versionsText } from "./pod/versions.ts";
import { withPodDefaults } from "./pod-defaults.ts";
import { type ResolvedArgs, selectorOf } from "./resolve-arguments.ts";
import { backendPort, serviceFields } from "./service-port.ts";

/** What is known of a slot once it is there. */
export interface SlotOutputs {
  readonly serviceName: pulumi.Output<string>;
  /** `undefined` where somebody else runs the pods. */
  readonly deploymentName: pulumi.Output<string> | undefined;
  /** Number of the release that the slot runs, where one was given. */
  readonly release: number | undefined;
}

/** A slot's Service, and what runs its pods where an image is given. */
export function slotResources(
  parent: pulumi.Resource,
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
    { parent, ...guard.service(), ...adopted.options(slot, "service", name) },
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
            parent,
            // A refused change of the Service's selector must stop the Deployment from being replaced, too.
            dependsOn: configMap === undefined ? [service] : [service, configMap],
            ...guard.deployment(slot),
            ...adopted.options(slot, "deployment", deploymentName),
          },
        );
  const sizing =
    deployment === undefined
      ? []
      : sizingResources(
          parent,
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
function sizingResources(
  parent: pulumi.Resource,
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
  const options = { parent, dependsOn: deployment };
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

/** Files of a slot that runs something here. */
export function filesOf({ slots: args }: BlueGreenModelArgs, slot: Slot): ConfigFiles | undefined {
  const { image, configFiles } = args[slot];
  const isEmpty = configFiles === undefined || Object.keys(configFiles).length === 0;
  return image === undefined || isEmpty ? undefined : configFiles;
}
