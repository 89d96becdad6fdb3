import type * as k8s from "@pulumi/kubernetes";
import { type Fields, isFields } from "../core/fields.ts";

type DeploymentSpec = k8s.types.input.apps.v1.DeploymentSpec;
type Labels = Readonly<Record<string, string>>;

/**
 * Rules about pods of the same kind (spread over zones, keep apart) name them by labels; those of the adopted slot would be meant
 * in the other slot, too, where they hold its pods off or count none of them. Pure.
 */
export function withOwnPeers(spec: DeploymentSpec, adopted: Labels): DeploymentSpec {
  const { matchLabels = {} } = spec.selector as { readonly matchLabels?: Labels };
  const own = Object.fromEntries(
    Object.entries(adopted).flatMap(([key, value]) => {
      const mine = matchLabels[key];
      return mine === undefined || mine === value ? [] : [[key, { from: value, to: mine }] as const];
    }),
  );
  const template = spec.template as k8s.types.input.core.v1.PodTemplateSpec;
  const pod = template.spec as k8s.types.input.core.v1.PodSpec;
  const { affinity, topologySpreadConstraints } = pod;
  if (Object.keys(own).length === 0 || (affinity ?? topologySpreadConstraints) === undefined) return spec;
  return {
    ...spec,
    template: {
      ...template,
      spec: {
        ...pod,
        ...(affinity === undefined ? {} : { affinity: meaning(affinity, own) as typeof affinity }),
        ...(topologySpreadConstraints === undefined
          ? {}
          : {
              topologySpreadConstraints: meaning(
                topologySpreadConstraints,
                own,
              ) as typeof topologySpreadConstraints,
            }),
      },
    },
  };
}

type Renamed = Readonly<Record<string, { readonly from: string; readonly to: string }>>;

/** The same rules, about pods with other labels. */
function meaning(value: unknown, own: Renamed): unknown {
  if (Array.isArray(value)) return value.map((one) => meaning(one, own));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === "labelSelector" && isFields(inner) ? renamed(inner, own) : meaning(inner, own),
    ]),
  );
}

function renamed(selector: Fields, own: Renamed): Fields {
  const { matchLabels, matchExpressions } = selector;
  const of = (key: string, value: unknown) => (own[key]?.from === value ? own[key]?.to : value);
  return {
    ...selector,
    ...(isFields(matchLabels)
      ? {
          matchLabels: Object.fromEntries(
            Object.entries(matchLabels).map(([key, value]) => [key, of(key, value)]),
          ),
        }
      : {}),
    ...(Array.isArray(matchExpressions)
      ? {
          matchExpressions: matchExpressions.map((one: unknown) =>
            isFields(one) && Array.isArray(one.values)
              ? { ...one, values: one.values.map((value: unknown) => of(String(one.key), value)) }
              : one,
          ),
        }
      : {}),
  };
}
