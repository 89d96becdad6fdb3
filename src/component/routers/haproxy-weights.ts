import type { TrafficSplit } from "../../core/routing.ts";
import { type Slot, slots } from "../../core/slots.ts";

const initialWeight = 100;
const largestWeight = 256;

/**
 * How HAProxy Ingress shares requests: it gives each pod a whole number up to 256, so that a slot's pods together have its share as nearly as these
 * numbers can say (`RebalanceWeight` in pkg/converters/utils/lbweight.go). Per cent. Pure.
 */
export function realSplit(split: TrafficSplit, replicas: Readonly<Record<Slot, number>>): TrafficSplit {
  const present = slots.filter((slot) => replicas[slot] > 0);
  const served = present.filter((slot) => split[slot] > 0);
  const multiple = present.map((slot) => replicas[slot]).reduce(leastCommonMultiple, 1);
  const each = served.map((slot) => Math.floor((split[slot] * multiple) / replicas[slot]));
  const [first, ...rest] = each;
  // Nobody is there who could be served.
  if (first === undefined) return split;
  const divisor = rest.reduce(greatestCommonDivisor, first);
  const factor = (initialWeight * divisor) / Math.min(...each);
  const excess = (factor * Math.max(...each)) / (largestWeight * divisor);
  const weightOf = (slot: Slot): number => {
    if (!served.includes(slot)) return 0;
    const weight = (factor * split[slot] * multiple) / (replicas[slot] * divisor);
    return excess > 1 ? Math.max(1, Math.floor(weight / excess)) : Math.floor(weight);
  };
  const totals = { blue: weightOf("blue") * replicas.blue, green: weightOf("green") * replicas.green };
  const sum = totals.blue + totals.green;
  return { blue: (100 * totals.blue) / sum, green: (100 * totals.green) / sum };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function leastCommonMultiple(a: number, b: number): number {
  return (a * b) / greatestCommonDivisor(a, b);
}
