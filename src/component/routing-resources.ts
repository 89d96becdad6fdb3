import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { IngressSpec } from "../core/model.ts";
import { ownLabels } from "../core/names.ts";
import type { Adopting } from "./adopted.ts";
import type { BlueGreenModelArgs, ResolvedArgs } from "./arguments.ts";
import type { Guard } from "./hooks.ts";

/** Writes the routing objects, the main one first: while both change, that order never takes traffic from where it goes. */
export function routingResources(
  parent: pulumi.Resource,
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
          parent,
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
