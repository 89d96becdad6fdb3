import type { PodObject } from "../../slots/kubernetes-objects.ts";
import type { RolloutContext } from "../context.ts";
import type { RolloutRecord } from "../record.ts";

import { podRuns } from "./objects.ts";

/** The pods of the adopted slot, each with its restarts. */
export async function podsOf(context: RolloutContext, record: RolloutRecord): Promise<string[]> {
  const slot = record.adoption?.slot ?? "blue";
  const selector = record.settings.selectors[slot] ?? {};
  const { items = [] } = await context.api.json<{ readonly items?: readonly PodObject[] }>({
    method: "GET",
    path: `/api/v1/namespaces/${context.namespace}/pods`,
    query: {
      labelSelector: Object.entries(selector)
        .map(([key, value]) => `${key}=${value}`)
        .join(","),
    },
    signal: context.signal,
  });
  return podRuns(items);
}
