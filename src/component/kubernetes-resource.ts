import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { apiVersionOf, type ObjectKind } from "../core/object-kind.ts";

interface Inputs {
  readonly metadata: object;
  readonly spec: pulumi.Input<object>;
}

type ResourceClass = new (
  name: string,
  args: Inputs,
  options: pulumi.CustomResourceOptions,
) => pulumi.CustomResource;

/**
 * A resource of any kind: of Kubernetes' own kinds the class that the SDK has, which knows the names that the kind had in older versions;
 * of all others a custom resource. The type in Pulumi's state is the same either way.
 */
export function kubernetesResource(
  kind: ObjectKind,
  name: string,
  inputs: Inputs,
  options: pulumi.CustomResourceOptions,
): pulumi.CustomResource {
  const known = classOf(kind);
  if (known !== undefined) return new known(name, inputs, options);
  return new k8s.apiextensions.CustomResource(
    name,
    { apiVersion: apiVersionOf(kind), kind: kind.kind, ...inputs },
    options,
  );
}

/** The SDK keeps `networking.k8s.io/v1` in `networking.v1`, and has groups without a dot under their names. */
function classOf({ group, version, kind }: ObjectKind): ResourceClass | undefined {
  const module = group.replace(/^([^.]+)\.k8s\.io$/, "$1");
  if (module.includes(".")) return undefined;
  const versions = (k8s as unknown as Readonly<Record<string, Modules | undefined>>)[module];
  return versions?.[version]?.[kind];
}

type Modules = Readonly<Record<string, Readonly<Record<string, ResourceClass | undefined>> | undefined>>;
