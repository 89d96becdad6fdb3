import { join } from "node:path";
import { type EventSink, step } from "../src/core/events.ts";
import type { LocalCluster, LocalClusters } from "../src/core/local-cluster.ts";
import { type Slot, slots } from "../src/core/slots.ts";
import { obtainEngineTools } from "../src/engine/engine-tools.ts";
import { packageFolder } from "../test/images/folders.ts";
import { buildTestImage } from "../test/images/test-image.ts";
import type { Flavour } from "./project.ts";

export interface Surroundings {
  readonly clusters: LocalClusters;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

/** A running cluster with both images in it. Everything that can be had at the same time is. */
export async function prepare(
  clusterName: string,
  flavour: Flavour,
  surroundings: Surroundings,
): Promise<LocalCluster> {
  const { clusters, events } = surroundings;
  // When one part fails, the others end too instead of building on for minutes.
  const failed = new AbortController();
  const signal = AbortSignal.any([surroundings.signal, failed.signal]);
  const parts = [
    clusters.up({ name: clusterName, events, signal }),
    buildImages(flavour, { ...surroundings, signal }),
    step(
      events,
      { id: "pulumi", title: "Pulumi and its Kubernetes provider" },
      () => obtainEngineTools({ env: process.env, events, signal }),
      ({ pulumi, provider }) => `${pulumi.version}; the provider: ${provider.reason}`,
    ),
  ] as const;
  for (const part of parts) part.catch(() => failed.abort());
  const settled = await Promise.allSettled(parts);
  const reason = firstFailure(settled, surroundings.signal);
  if (reason !== undefined) throw reason.error;
  const [cluster, archives] = await Promise.all(parts);
  await step(events, { id: "load-images", title: "Load the images into the cluster" }, async () => {
    for (const archive of archives) await clusters.loadImage(clusterName, archive, surroundings.signal);
  });
  return cluster;
}

/** The failure that made the others stop, not one of those that were stopped. */
function firstFailure(
  settled: readonly PromiseSettledResult<unknown>[],
  signal: AbortSignal,
): { readonly error: unknown } | undefined {
  const errors = settled.flatMap((one) => (one.status === "rejected" ? [one.reason as unknown] : []));
  if (errors.length === 0) return undefined;
  const isInterruption = (error: unknown) => (error as { code?: unknown }).code === "interrupted";
  const own = signal.aborted ? undefined : errors.find((error) => !isInterruption(error));
  return { error: own ?? errors[0] };
}

async function buildImages(flavour: Flavour, { clusters, events, signal }: Surroundings): Promise<string[]> {
  if (flavour.kind === "fast") return [(await buildTestImage({ events, signal })).archivePath];
  const contextFolder = join(packageFolder, "demo", "digits");
  const build = async (slot: Slot) => {
    const image = await clusters.buildImage({
      containerfile: join(contextFolder, "Containerfile"),
      contextFolder,
      tag: flavour.image[slot],
      buildArguments: { MODEL_VERSION: flavour.version[slot] },
      events,
      signal,
    });
    return image.archivePath;
  };
  const archives: string[] = [];
  // One after the other: the second one has the first one's layers.
  for (const slot of slots) archives.push(await build(slot));
  return archives;
}
