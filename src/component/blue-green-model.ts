import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { IngressSpec } from "../core/model.ts";
import { ownLabels } from "../core/names.ts";
import type { Slot } from "../core/slots.ts";
import { type Adopting, adopting } from "./adopted.ts";
import { type BlueGreenModelArgs, type ResolvedArgs, resolveArgs, selectorOf } from "./arguments.ts";
import { deploymentSpec, releaseLabel } from "./deployment.ts";
import { endpointOf } from "./endpoint.ts";
import { type Guard, guardHooks } from "./hooks.ts";
import { withPodDefaults } from "./pod-defaults.ts";

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
    const guard = guardHooks(name, resolved.names, resolved.router, args.guard ?? true);
    const adopted = adopting(args.adopted, args.namespace);

    const blue = this.#slot(name, "blue", args, resolved, guard, adopted);
    const green = this.#slot(name, "green", args, resolved, guard, adopted);
    const ingress = this.#ingresses(name, args, resolved, guard, adopted, [
      ...blue.resources,
      ...green.resources,
    ]);

    this.endpoint = ingress.status.apply(endpointOf);
    this.live = pulumi.output(args.live);
    this.slots = { blue: blue.outputs, green: green.outputs };
    this.ingressName = ingress.metadata.name;
    const scheme = (args.ingress.tls ?? []).length > 0 ? "https" : "http";
    this.url = pulumi.interpolate`${scheme}://${args.ingress.host}${args.ingress.path ?? "/"}`;
    this.registerOutputs({
      endpoint: this.endpoint,
      live: this.live,
      slots: this.slots,
      ingressName: this.ingressName,
      url: this.url,
    });
  }

  #slot(
    model: string,
    slot: Slot,
    args: BlueGreenModelArgs,
    { names, server, servicePort }: ResolvedArgs,
    guard: Guard,
    adopted: Adopting,
  ) {
    const name = names.service[slot];
    const deploymentName = names.deployment[slot];
    const { image, release } = args.slots[slot];
    const selector = selectorOf(model, slot, args);
    const labels = { app: model, version: slot, ...ownLabels(model) };
    const deploymentLabels = {
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
          labels,
          // A slot may be empty, or its pods somebody else's: whether it is ready is asked when it is to get traffic.
          annotations: { "pulumi.com/skipAwait": "true" },
          ...adopted.metadata(slot, "service", labels),
        },
        spec: {
          type: "ClusterIP",
          selector: { ...selector },
          ports: [{ name: "http", port: servicePort, targetPort: server.httpPort }],
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
                ...adopted.metadata(slot, "deployment", deploymentLabels),
              },
              spec: adopted.deploymentSpec(
                slot,
                withPodDefaults(
                  deploymentSpec(model, selector, { ...args.slots[slot], image }, server),
                  args.slots[slot].podDefaults,
                ),
              ),
            },
            {
              parent: this,
              // A refused change of the Service's selector must stop the Deployment from being replaced, too.
              dependsOn: service,
              ...guard.deployment(slot),
              ...adopted.options(slot, "deployment", deploymentName),
            },
          );
    return {
      resources: deployment === undefined ? [service] : [service, deployment],
      outputs: {
        serviceName: service.metadata.name,
        deploymentName: deployment?.metadata.name,
        release,
      } satisfies SlotOutputs,
    };
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
    const manifests = pulumi.output(args.ingress).apply((known) =>
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
            ...guard.ingress,
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
