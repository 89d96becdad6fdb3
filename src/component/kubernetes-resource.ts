import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { apiVersionOf, type ObjectKind } from "../core/object-kind.ts";

interface Inputs {
  readonly metadata: {
    readonly annotations: pulumi.Input<Readonly<Record<string, string>>>;
    readonly [field: string]: unknown;
  };
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
  // The API server drops what is empty; of kinds that it has no schema of, the provider would take that for a change each time.
  const annotations = pulumi
    .output(inputs.metadata.annotations)
    .apply((all) => (Object.keys(all).length === 0 ? undefined : all));
  const metadata = { ...inputs.metadata, annotations } as pulumi.Input<object>;
  return new k8s.apiextensions.CustomResource(
    name,
    { apiVersion: apiVersionOf(kind), kind: kind.kind, ...inputs, metadata },
    options,
  );
}

/** The SDK keeps `networking.k8s.io/v1` in `networking.v1`, has groups without a dot under their names, and the one without a name as `core`. */
function classOf({ group, version, kind }: ObjectKind): ResourceClass | undefined {
  const module = group === "" ? "core" : group.replace(/^([^.]+)\.k8s\.io$/, "$1");
  if (module.includes(".")) return undefined;
  const versions = (k8s as unknown as Readonly<Record<string, Modules | undefined>>)[module];
  return versions?.[version]?.[kind];
}

type Modules = Readonly<Record<string, Readonly<Record<string, ResourceClass | undefined>> | undefined>>;
