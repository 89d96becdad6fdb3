import * as pulumi from "@pulumi/pulumi";
import type { IngressSpec } from "../core/model.ts";
import { ownLabels } from "../core/names.ts";
import type { Adopting } from "./adopted.ts";
import type { BlueGreenModelArgs } from "./arguments.ts";
import type { IngressStatus } from "./endpoint.ts";
import type { Guard } from "./hooks.ts";
import { kubernetesResource } from "./kubernetes-resource.ts";
import { type ResolvedArgs, selectorOf } from "./resolve-arguments.ts";
import { serviceKind } from "./routers/service-object.ts";
import { backendPort, healthPathOf } from "./service-port.ts";

/** The main routing object, as far as the component says something of it. */
export interface MainRoute {
  readonly name: pulumi.Output<string>;
  readonly status: pulumi.Output<IngressStatus | undefined>;
}

/**
 * Writes the routing objects, the main one first: while both change, that order never takes traffic from where it goes. Services come before
 * all others, and are deleted after them: to a route without its Service controllers answer with errors.
 */
export function routingResources(
  parent: pulumi.Resource,
  model: string,
  args: BlueGreenModelArgs,
  { names, router, routing, previewHeader, servicePort, server }: ResolvedArgs,
  guard: Guard,
  adopted: Adopting,
  dependsOn: readonly pulumi.Resource[],
): MainRoute {
  const manifests = pulumi.all([args.ingress, guard.registration]).apply(([known]) =>
    // Unwrapping keeps the shape: only the inputs in it have become their values.
    router.objects({
      model,
      names,
      routing,
      ingress: known as IngressSpec,
      previewHeader,
      testers: args.testers,
      servicePort,
      backend: backendPort(known.protocol, servicePort, server),
      selectors: { blue: selectorOf(model, "blue", args), green: selectorOf(model, "green", args) },
      keepAliveSeconds: server.keepAliveSeconds,
      healthPath: healthPathOf(server),
      namespace: undefined,
    }),
  );
  const resources: pulumi.CustomResource[] = [];
  // What was adopted is an Ingress: the main object of a router that the model has moved to is none.
  const isAdopted = (index: number) => index === 0 && router.byIngressClass;
  const refs = router.refs(names);
  const isService = ({ kind }: (typeof refs)[number]) => kind.kind === serviceKind.kind;
  let main: pulumi.CustomResource | undefined;
  for (const ref of [...refs.filter(isService), ...refs.filter((one) => !isService(one))]) {
    const { kind, name } = ref;
    const index = refs.indexOf(ref);
    const manifest = manifests.apply((all) => {
      const one = all[index];
      if (one === undefined) throw new Error(`The router "${router.name}" wrote no object ${name}.`);
      return one;
    });
    const labels = { app: model, ...ownLabels(model) };
    const resource = kubernetesResource(
      kind,
      name,
      {
        metadata: {
          // Said here once more, so that they are known in a preview even where the host is not.
          name,
          ...(args.namespace === undefined ? {} : { namespace: args.namespace }),
          labels: isAdopted(index) ? adopted.ingressLabels(labels) : labels,
          annotations: isAdopted(index)
            ? manifest.metadata.annotations.apply(adopted.ingressAnnotations)
            : manifest.metadata.annotations,
        },
        spec: manifest.spec,
      },
      {
        parent,
        dependsOn: [...dependsOn, ...resources],
        ...guard.routing(index === 0, isService(ref)),
        ...(isAdopted(index) ? adopted.ingressOptions(name) : {}),
      },
    );
    resources.push(resource);
    if (index === 0) main = resource;
  }
  const [ref] = refs;
  if (main === undefined) throw new Error(`The router "${router.name}" has no objects.`);
  const { metadata, status } = main as Partial<MainOutputs>;
  return {
    name: metadata?.name ?? pulumi.output(ref.name),
    status: status ?? pulumi.output(undefined),
  };
}

/** What the SDK's own classes have; a resource of another kind has no status as long as its class does not say so. */
interface MainOutputs {
  readonly metadata: { readonly name: pulumi.Output<string> };
  readonly status: MainRoute["status"];
}
