import { quantityValue } from "../quantity.ts";
import type { ContainerShape, PodSpecShape, Quantities } from "./objects.ts";

/** Amounts in whole units: cores, bytes, devices, pods. */
export type Amounts = Readonly<Record<string, number>>;

export function amountsOf(quantities: Quantities | undefined): Amounts {
  return Object.fromEntries(
    Object.entries(quantities ?? {}).map(([resource, quantity]) => [
      resource,
      quantityValue(String(quantity)) ?? 0,
    ]),
  );
}

export function plus(a: Amounts, b: Amounts): Amounts {
  return combined(a, b, (one, other) => one + other);
}

export function minus(a: Amounts, b: Amounts): Amounts {
  return combined(a, b, (one, other) => one - other);
}

export function times(amounts: Amounts, factor: number): Amounts {
  return Object.fromEntries(Object.entries(amounts).map(([resource, value]) => [resource, value * factor]));
}

function combined(a: Amounts, b: Amounts, how: (a: number, b: number) => number): Amounts {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]);
  return Object.fromEntries([...keys].map((key) => [key, how(a[key] ?? 0, b[key] ?? 0)]));
}

const largest = (a: Amounts, b: Amounts) => combined(a, b, Math.max);

/** What a container asks for: where it only has a limit, Kubernetes asks for that. */
function requestsOf({ requests, limits }: NonNullable<ContainerShape["resources"]>): Amounts {
  return { ...amountsOf(limits), ...amountsOf(requests) };
}

/**
 * What the scheduler sets aside for a pod: its containers and the init containers that run on, or an init container that needs more
 * at its time; the overhead of its runtime; and one of the node's places for pods. Pure.
 */
export function podRequests(spec: PodSpecShape): Amounts {
  const running = sumOf(spec, ({ resources }) => requestsOf(resources ?? {}));
  // Amounts of the whole pod stand in place of its containers'.
  const whole = amountsOf(spec.resources?.requests);
  return plus({ ...running, ...whole }, plus(amountsOf(spec.overhead), { pods: 1 }));
}

/** The most that a pod may take, counted in the same way; of what has no limit there is no entry. Pure. */
export function podLimits(spec: PodSpecShape): Amounts {
  const limits = sumOf(spec, ({ resources }) => amountsOf(resources?.limits));
  const whole = { ...limits, ...amountsOf(spec.resources?.limits) };
  const overhead = Object.entries(amountsOf(spec.overhead)).filter(([resource]) => resource in whole);
  return plus(whole, Object.fromEntries(overhead));
}

/** Amounts of containers as they count for a pod: those beside each other, or one that needs more at its time. */
export function sumOf(spec: PodSpecShape, asked: (container: ContainerShape) => Amounts): Amounts {
  let beside: Amounts = {};
  let starting: Amounts = {};
  for (const container of spec.initContainers ?? []) {
    if (container.restartPolicy === "Always") {
      beside = plus(beside, asked(container));
      starting = largest(starting, beside);
    } else starting = largest(starting, plus(beside, asked(container)));
  }
  const running = (spec.containers ?? []).map(asked).reduce(plus, beside);
  return largest(running, starting);
}

const binary = ["Ki", "Mi", "Gi", "Ti", "Pi"] as const;

/** An amount for people: `1.5`, `500m`, `16Gi`. */
export function describeAmount(resource: string, value: number): string {
  const isBytes =
    resource === "memory" || resource === "ephemeral-storage" || resource.startsWith("hugepages-");
  if (!isBytes) {
    const rounded = Math.round(value * 1000) / 1000;
    return Number.isInteger(rounded * 10) ? String(rounded) : `${Math.round(value * 1000)}m`;
  }
  let unit = "";
  let left = value;
  for (const next of binary) {
    if (Math.abs(left) < 1024) break;
    left /= 1024;
    unit = next;
  }
  return `${Number(left.toFixed(left < 10 ? 1 : 0))}${unit}`;
}

/** `2 nvidia.com/gpu, 4 cpu, 16Gi memory`; devices first, and nothing of places for pods. */
export function describeAmounts(amounts: Amounts): string {
  const order = (resource: string) => (resource === "cpu" ? 1 : resource === "memory" ? 2 : 0);
  return Object.entries(amounts)
    .filter(([resource, value]) => resource !== "pods" && value > 0)
    .toSorted(([a], [b]) => order(a) - order(b) || a.localeCompare(b))
    .map(([resource, value]) => `${describeAmount(resource, value)} ${resource}`)
    .join(", ");
}
