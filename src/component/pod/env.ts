import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { EnvReference } from "../../core/release-contents.ts";

type EnvVar = k8s.types.input.core.v1.EnvVar;

/** Value of a variable; texts may be outputs of other resources. */
export type EnvInput = pulumi.Input<string> | EnvReference;

/** A container's variables, in the order given. */
export function envVariables(env: Readonly<Record<string, EnvInput>>): EnvVar[] {
  return Object.entries(env).map(([name, value]) =>
    isReference(value) ? { name, valueFrom: source(value) } : { name, value },
  );
}

function isReference(value: EnvInput): value is EnvReference {
  return typeof value === "object" && ("secret" in value || "configMap" in value) && "key" in value;
}

function source(reference: EnvReference): NonNullable<EnvVar["valueFrom"]> {
  const { key } = reference;
  const optional = reference.optional === true ? { optional: true } : {};
  return "secret" in reference
    ? { secretKeyRef: { name: reference.secret, key, ...optional } }
    : { configMapKeyRef: { name: reference.configMap, key, ...optional } };
}
