import * as pulumi from "@pulumi/pulumi";
import type { IngressSpec } from "../core/model.ts";
import { ownLabels } from "../core/names.ts";
import type { Adopting } from "./adopted.ts";
import type { BlueGreenModelArgs, ResolvedArgs } from "./arguments.ts";
import type { IngressStatus } from "./endpoint.ts";
import type { Guard } from "./hooks.ts";
import { kubernetesResource } from "./kubernetes-resource.ts";

/** The main routing object, as far as the component says something of it. */
export interface MainRoute {
  readonly name: pulumi.Output<string>;
  readonly status: pulumi.Output<IngressStatus | undefined>;
}

/** Writes the routing objects, the main one first: while both change, that order never takes traffic from where it goes. */
export function routingResources(
  parent: pulumi.Resource,
  model: string,
  args: BlueGreenModelArgs,
  { names, router, routing, previewHeader, servicePort }: ResolvedArgs,
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
      servicePort,
      namespace: undefined,
    }),
  );
  const resources: pulumi.CustomResource[] = [];
  // What was adopted is an Ingress: the main object of a router that the model has moved to is none.
  const isAdopted = (index: number) => index === 0 && router.byIngressClass;
  for (const [index, { kind, name }] of router.refs(names).entries()) {
    const manifest = manifests.apply((all) => {
      const one = all[index];
      if (one === undefined) throw new Error(`The router "${router.name}" wrote no object ${name}.`);
      return one;
    });
    const labels = { app: model, ...ownLabels(model) };
    resources.push(
      kubernetesResource(
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
          ...guard.ingress(index === 0),
          ...(isAdopted(index) ? adopted.ingressOptions(name) : {}),
        },
      ),
    );
  }
  const [main] = resources;
  const [ref] = router.refs(names);
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
