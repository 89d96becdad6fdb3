import { AsyncResource } from "node:async_hooks";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { defaults } from "../core/defaults.ts";
import { beginning } from "../core/identity-path.ts";
import { ownLabels } from "../core/names.ts";
import type { RouterName } from "../core/router-names.ts";
import { splitOf } from "../core/routing.ts";
import { type Slot, slots } from "../core/slots.ts";
import { adopting } from "./adopted.ts";
import type { BlueGreenModelArgs } from "./arguments.ts";
import { endpointOf } from "./endpoint.ts";
import { guardHooks } from "./hooks.ts";
import { configMapData, configMaps } from "./pod/config-files.ts";
import { resolveArgs } from "./resolve-arguments.ts";
import type { ArgumentWishes } from "./routers/compiled-wishes.ts";
import { routingResources } from "./routing-resources.ts";
import { filesOf, type SlotOutputs, slotResources } from "./slot-resources.ts";

/**
 * A model served by two identical environments, blue and green, behind one Ingress. Both slots are permanent: a Service with
 * a constant selector each, and a Deployment where an image is given. A switch changes nothing but the Ingress.
 */
export class BlueGreenModel<Router extends RouterName = "nginx"> extends pulumi.ComponentResource {
  /** The Ingress's hostname, else its IP address; `undefined` while it has none. */
  readonly endpoint: pulumi.Output<string | undefined>;
  /** The slot that carries production traffic. */
  readonly live: pulumi.Output<Slot>;
  readonly slots: Readonly<Record<Slot, SlotOutputs>>;
  readonly ingressName: pulumi.Output<string>;
  /** Where clients find the model, by the host of the Ingress. */
  readonly url: pulumi.Output<string>;

  /** @throws UserError where the arguments contradict each other or the router */
  constructor(
    name: string,
    args: Omit<BlueGreenModelArgs, "router"> & { readonly router?: Router } & ArgumentWishes<NoInfer<Router>>,
    opts: pulumi.ComponentResourceOptions = {},
  ) {
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
    const blue = slotResources(this, name, "blue", args, resolved, guard, adopted, files);
    const green = slotResources(this, name, "green", args, resolved, guard, adopted, files);
    const route = routingResources(this, name, args, resolved, guard, adopted, [
      ...blue.resources,
      ...green.resources,
    ]);

    this.endpoint = route.status.apply(endpointOf);
    this.live = pulumi.output(args.live);
    this.slots = { blue: blue.outputs, green: green.outputs };
    this.ingressName = route.name;
    const scheme = (args.ingress.tls ?? []).length > 0 ? "https" : "http";
    this.url = pulumi.interpolate`${scheme}://${args.ingress.host}${beginning(args.ingress.path ?? defaults.ingress.path)}`;
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
