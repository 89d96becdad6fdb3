import type * as k8s from "@pulumi/kubernetes";
import type { SecretMount } from "../../core/release-contents.ts";

type Volume = k8s.types.input.core.v1.Volume;
type VolumeMount = k8s.types.input.core.v1.VolumeMount;

/** Annotation of the pods: a version that changes replaces them. */
export const versionsAnnotation = "modelswitch.dev/versions";

/** Secrets as folders of files. */
export function secretMounts(secrets: readonly SecretMount[]): {
  readonly volumes: Volume[];
  readonly mounts: VolumeMount[];
} {
  const names = [...new Set(secrets.map(({ secret }) => secret))];
  const volumeOf = (secret: string) => `secret-${names.indexOf(secret)}`;
  return {
    volumes: names.map((secret) => ({ name: volumeOf(secret), secret: { secretName: secret } })),
    mounts: secrets.map(({ secret, mountPath }) => ({ name: volumeOf(secret), mountPath, readOnly: true })),
  };
}
