import { gunzipSync, gzipSync } from "node:zlib";
import { isKnownRouter, registerRouter, routerNamed } from "../../component/routers/factory.ts";
import { type RouterTable, routerOfTable, tableOf } from "../../component/routers/tabulated.ts";
import { defaults } from "../../core/defaults.ts";
import type { IngressSpec } from "../../core/model.ts";
import { givenBy, objectNames } from "../../core/names.ts";
import { isOwnRouter, type OwnRouterName } from "../../core/router-names.ts";
import type { RolloutRecord } from "./record.ts";

/**
 * What users' own routers write for a model, beside its record: so whoever reaches the cluster leads clients back, also where the file is not that
 * defines the router.
 */

/** `undefined`: the model has no such router, or it cannot say what it writes now; the record is written all the same. */
export function packedTables(record: RolloutRecord): string | undefined {
  const tables: Record<string, RouterTable> = {};
  for (const { router, ingress } of waysOf(record)) {
    if (!isOwnRouter(router) || !isKnownRouter(router)) continue;
    try {
      tables[router] = tableOf(routerNamed(router), inputOf(record, ingress));
    } catch {
      // What a function of the user's file throws must not keep anything from being remembered.
    }
  }
  return Object.keys(tables).length === 0
    ? undefined
    : gzipSync(JSON.stringify(tables), { level: 9 }).toString("base64");
}

/** Makes them known to this process, where no file has. One that cannot be read is none. */
export function learnTables(packed: string | undefined): void {
  if (packed === undefined) return;
  for (const [name, table] of Object.entries(unpacked(packed))) {
    if (isOwnRouter(name) && !isKnownRouter(name)) registerRouter(routerOfTable(name, table));
  }
}

function unpacked(packed: string): Readonly<Record<OwnRouterName | string, RouterTable>> {
  try {
    return JSON.parse(gunzipSync(Buffer.from(packed, "base64")).toString()) as Record<string, RouterTable>;
  } catch {
    return {};
  }
}

function waysOf({ settings, migration }: RolloutRecord) {
  return [settings, ...(migration === undefined ? [] : [migration.from, migration.to])];
}

function inputOf({ model, settings }: RolloutRecord, ingress: IngressSpec) {
  return {
    model,
    names: objectNames(model, { slots: settings.names ?? {}, ...givenBy(ingress) }),
    namespace: undefined,
    ingress,
    previewHeader: settings.previewHeader,
    servicePort: settings.servicePort ?? defaults.servicePort,
  };
}
