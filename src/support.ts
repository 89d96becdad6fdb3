/**
 * What `@modelswitch/local-cluster` is built on, published as `modelswitch/support`. It is for that package of the same version alone, and
 * may change with any release.
 */
import type { Connection, KubeconfigSource } from "./kubernetes/connect.ts";

export { type Clock, systemClock } from "./core/clock.ts";
export { exitCodes, interrupted, messageOf, UserError } from "./core/errors.ts";
export { type Event, type EventSink, type StepEvent, step } from "./core/events.ts";
export {
  addonNames,
  type BuildImageRequest,
  type BuiltImage,
  type ClusterUpOptions,
  type ComponentHealth,
  type ComponentName,
  componentNames,
  type ImageStore,
  imageStores,
  ingressEndpointAnnotation,
  ingressMetricsAnnotation,
  kubernetesVersions,
  type LoadedImage,
  type LocalCluster,
  type LocalClusterOptions,
  type LocalClusterStatus,
  type LocalClusters,
} from "./core/local-cluster.ts";
export type { KubernetesApi, KubernetesObject } from "./kubernetes/api.ts";
export { unpack } from "./tools/archive.ts";
export { cacheFolder } from "./tools/cache-folder.ts";
export { downloadVerified } from "./tools/download.ts";
export { ensureRecipe } from "./tools/ensure.ts";
export { findPrograms, which } from "./tools/find-on-path.ts";
export { buildGoProgram, type GoBuild } from "./tools/go-build.ts";
export { withLock } from "./tools/lock.ts";
export { lastLinesOfFile } from "./tools/log-lines.ts";
export { executable, goArchitecture, goSystem } from "./tools/recipes/platform-names.ts";
export {
  lastLines,
  type ProgramResult,
  programMissing,
  type RunProgramOptions,
  requireSuccess,
  runProgram,
} from "./tools/run-program.ts";
export type { Layout, Platform, Recipe, ToolContext } from "./tools/source.ts";
export { stateFolder } from "./tools/state-folder.ts";
export type { EnsureToolOptions, Tool } from "./tools/tool.ts";
export { isInRange } from "./tools/version-range.ts";

/** A connection to a cluster; its HTTP client is loaded only then. */
export async function connected(source: KubeconfigSource): Promise<Connection> {
  const { connect } = await import("./kubernetes/connect.ts");
  return connect(source);
}
