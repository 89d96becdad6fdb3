import { contains } from "../../core/fields.ts";
import { objectNames } from "../../core/names.ts";
import { isObject, type ObjectRef } from "../../core/object-kind.ts";
import type { OwnRouterName } from "../../core/router-names.ts";
import { splitOf } from "../../core/routing.ts";
import type { ObservedObject, Router, RouterCapabilities, RouterInput } from "./router.ts";
import { objectOf, ofWeights, refuseUnweighable, routingOf } from "./weighted.ts";

/**
 * All that a user's own router would write for one model. It is a pure function of the shares, of which there are 101: so the whole of it can be kept
 * where the file that defines it is not, and a way back needs no file.
 */
export interface RouterTable {
  readonly refs: readonly [ObjectRef, ...ObjectRef[]];
  readonly capabilities: Omit<RouterCapabilities, "stickyOverridesHeader" | "reloadOnSwitch">;
  /** The spec of the main object by blue's share, 0 to 100; of a router without weights the first and the last alone. */
  readonly route: readonly object[];
  /** Of the other objects, which no share changes. */
  readonly beside: readonly object[];
}

/** @throws what the router's own functions throw */
export function tableOf(router: Router, input: Omit<RouterInput, "routing">): RouterTable {
  const names = input.names ?? input.model;
  const { stickyOverridesHeader: _a, reloadOnSwitch: _b, ...capabilities } = router.capabilities;
  const at = (green: number) =>
    router.objects({ ...input, routing: { main: "blue", candidate: "green", weight: green } });
  const shares = capabilities.weights ? Array.from({ length: 101 }, (_, blue) => blue) : [0, 100];
  const [, ...beside] = at(0);
  return {
    refs: router.refs(names),
    capabilities,
    route: shares.flatMap((blue) => at(100 - blue)[0]?.spec ?? []),
    beside: beside.map(({ spec }) => spec),
  };
}

/** The router that writes and reads what stands in a table: where clients connect, and who else has the host, is not in it. */
export function routerOfTable(name: OwnRouterName, table: RouterTable): Router {
  const { refs, route, beside, capabilities } = table;
  const [main] = refs;
  const shareAt = (index: number) => (route.length === 2 ? index * 100 : index);
  const specAt = (blue: number) => route[Math.round(route.length === 2 ? blue / 100 : blue)];
  const kinds = [...new Map(refs.map(({ kind }) => [`${kind.group}/${kind.kind}`, kind])).values()];
  return {
    name,
    ...ofWeights,
    ...(capabilities.header ? {} : { force: () => undefined }),
    capabilities: { ...capabilities, stickyOverridesHeader: undefined, reloadOnSwitch: undefined },
    kinds: [main.kind, ...kinds.filter(({ kind }) => kind !== main.kind.kind)],
    rights: kinds.map((kind) => ({
      kind,
      names: () => refs.flatMap((ref) => (ref.kind.kind === kind.kind ? ref.name : [])),
      awaited: false,
    })),
    reads: [],
    publishesAddress: false,
    advice: `Look at the ${main.kind.kind} and at what its controller says of it.`,
    refs: () => refs,

    objects(input) {
      refuseUnweighable(name, input);
      return refs.map((ref, index) => {
        const isMain = index === 0;
        const spec = isMain ? specAt(splitOf(input.routing).blue) : beside[index - 1];
        return { ...objectOf(input, ref.kind, ref.name, { isMain, isWeighted: isMain }), spec: spec ?? {} };
      });
    },

    read(model, objects) {
      const object = objects.find((one) => isObject(one, main));
      const found = route.findIndex((spec) => contains(object?.spec, spec));
      if (found < 0) return undefined;
      const blue = shareAt(found);
      const { service } = objectNames(model);
      return routingOf(model, object, [
        { name: service.blue, weight: blue },
        { name: service.green, weight: 100 - blue },
      ]);
    },

    classOf: ({ className = "" }) => className,
    claim: ({ metadata }) => ({
      kind: main.kind.kind,
      ...(metadata === undefined ? {} : { metadata }),
      spec: { rules: [] },
    }),
    front: ({ metadata }: ObservedObject) => ({
      name: metadata?.name ?? "",
      className: undefined,
      tlsHosts: [],
      addresses: [],
    }),
  };
}
