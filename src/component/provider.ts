import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { ambientCluster } from "../kubernetes/ambient.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";

/**
 * An explicit provider from the stack's configuration, or `undefined` for the ambient one:
 *
 *     pulumi config set --secret kubernetes:kubeconfig "$(cat kubeconfig.yaml)"
 *
 * The value may be a kubeconfig or the path of one; `kubernetes:context` chooses a context in it.
 */
export function providerFromConfig(
  name = "kubernetes",
  opts: pulumi.ResourceOptions = {},
): k8s.Provider | undefined {
  const config = new pulumi.Config("kubernetes");
  // Read as a secret: a kubeconfig holds credentials, which must not stand in the state in clear.
  const kubeconfig = config.getSecret("kubeconfig");
  if (kubeconfig === undefined) return undefined;
  const context = config.get("context");
  return new k8s.Provider(name, { kubeconfig, ...(context === undefined ? {} : { context }) }, opts);
}

/** The cluster that the stack's configuration names, else the ambient provider's, for reads beside the provider. */
export async function kubeconfigFromConfig(): Promise<KubeconfigSource> {
  const ambient = ambientCluster();
  const config = new pulumi.Config("kubernetes");
  const context = config.get("context");
  const cluster = config.get("cluster");
  const kubeconfig = await awaited(config.getSecret("kubeconfig"));
  return {
    ...(kubeconfig === undefined ? ambient : kubeconfigGiven(kubeconfig)),
    ...(context === undefined ? {} : { context }),
    ...(cluster === undefined ? {} : { cluster }),
  };
}

/** A kubeconfig given as contents or as a path, as the provider takes it. */
export function kubeconfigGiven(value: string): KubeconfigSource {
  return /[\n{]|^\s*apiVersion\s*:/.test(value) ? { contents: value } : { path: value };
}

/** Waits for a value that may be an output. */
export function awaited<T>(input: pulumi.Input<T>): Promise<pulumi.Unwrap<T>> {
  return new Promise((resolve) => {
    pulumi.output(input).apply((value) => resolve(value));
  });
}
