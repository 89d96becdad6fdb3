import { createHash } from "node:crypto";
import type * as k8s from "@pulumi/kubernetes";
import { type Slot, slots } from "../../core/slots.ts";

type Volume = k8s.types.input.core.v1.Volume;
type VolumeMount = k8s.types.input.core.v1.VolumeMount;

/** Contents of files by their path in the container. */
export type ConfigFiles = Readonly<Record<string, string>>;

const volume = "config-files";

/** Name of the ConfigMap with these files: another content is another object, so each release keeps its own. */
export function configMapName(model: string, files: ConfigFiles): string {
  return `${model}-config-${contentHash(files)}`;
}

/** Ten digits that stand for the files, whatever order they are given in. */
export function contentHash(files: ConfigFiles): string {
  const sorted = Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256").update(JSON.stringify(sorted)).digest("hex").slice(0, 10);
}

/** Key of a file in the ConfigMap: its name, made unique by its path. */
function keyOf(path: string): string {
  const name = (path.split("/").at(-1) ?? "").replace(/[^-._a-zA-Z0-9]/g, "_").slice(-200);
  return `${createHash("sha256").update(path).digest("hex").slice(0, 8)}-${name}`;
}

export function configMapData(files: ConfigFiles): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([path, contents]) => [keyOf(path), contents]));
}

/** ConfigMaps that the slots refer to, each once, by name. */
export function configMaps(
  model: string,
  filesOf: (slot: Slot) => ConfigFiles | undefined,
): ReadonlyMap<string, ConfigFiles> {
  const found = new Map<string, ConfigFiles>();
  for (const slot of slots) {
    const files = filesOf(slot);
    if (files !== undefined && Object.keys(files).length > 0) found.set(configMapName(model, files), files);
  }
  return found;
}

/** Each file is mounted alone, so that the image's other files in its folder stay. */
export function configFileMounts(
  model: string,
  files: ConfigFiles | undefined,
): { readonly volumes: Volume[]; readonly mounts: VolumeMount[] } {
  if (files === undefined || Object.keys(files).length === 0) return { volumes: [], mounts: [] };
  return {
    volumes: [{ name: volume, configMap: { name: configMapName(model, files) } }],
    mounts: Object.keys(files).map((path) => ({
      name: volume,
      mountPath: path,
      subPath: keyOf(path),
      readOnly: true,
    })),
  };
}
