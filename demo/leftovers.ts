import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../src/core/clock.ts";
import { UserError } from "../src/core/errors.ts";
import { type EventSink, step } from "../src/core/events.ts";
import { ownLabels } from "../src/core/names.ts";
import { type KubernetesApi, type KubernetesObject, responseError } from "../src/kubernetes/api.ts";
import { stateNames } from "../src/state/names.ts";

/** Collections of everything that a model of modelswitch consists of. */
const collections = (namespace: string) => [
  `/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`,
  `/apis/apps/v1/namespaces/${namespace}/deployments`,
  `/api/v1/namespaces/${namespace}/services`,
  `/api/v1/namespaces/${namespace}/configmaps`,
];

/**
 * Removes a model of an earlier demo whose Pulumi state is neither in the cluster nor, as former versions had it, in the project's folder:
 * nobody owns these objects any more.
 */
export async function removeLeftovers(options: {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly model: string;
  /** The project's folder. */
  readonly folder: string;
  readonly clock: Clock;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}): Promise<void> {
  const { api, namespace, model, folder, clock, events, signal } = options;
  if (await exists(join(folder, ".modelswitch", "state"))) return;
  const { head } = stateNames(model, { project: `modelswitch-${model}`, stack: namespace });
  if ((await api.find(`/api/v1/namespaces/${namespace}/secrets/${head}`, { signal })) !== undefined) return;
  const labelSelector = Object.entries(ownLabels(model))
    .map(([key, value]) => `${key}=${value}`)
    .join(",");
  const found: string[] = [];
  for (const path of collections(namespace)) {
    const query = { labelSelector };
    const list = await api.json<{ items?: KubernetesObject[] }>({ method: "GET", path, query, signal });
    for (const { metadata } of list.items ?? []) found.push(`${path}/${metadata?.name ?? ""}`);
  }
  if (found.length === 0) return;
  const title = `Remove what a demo left whose project folder is gone (${model} in ${namespace})`;
  await step(events, { id: "leftovers", title }, async () => {
    for (const path of found) {
      const query = { propagationPolicy: "Foreground" };
      const request = { method: "DELETE", path, query, signal } as const;
      const answer = await api.request(request);
      if (answer.status >= 400 && answer.status !== 404) throw responseError(request, answer);
    }
    const deadline = clock.now() + 120_000;
    for (const path of found) {
      while ((await api.find(path, { signal })) !== undefined) {
        if (clock.now() > deadline) {
          throw new UserError({
            code: "leftovers-not-removed",
            message: `${path}, left by an earlier demo, was not removed within two minutes.`,
            hint: "See what keeps it (finalizers, pods that do not end), or start anew: `modelswitch cluster down` and the demo again.",
          });
        }
        await clock.sleep(250, signal);
      }
    }
  });
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
