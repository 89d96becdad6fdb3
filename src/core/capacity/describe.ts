import { describeAmount, describeAmounts } from "./amounts.ts";
import type { Fit, Shortage } from "./room.ts";

const nodes = (count: number) => (count === 1 ? "1 node" : `${count} nodes`);

/**
 * Why replicas do not fit, for example `3 more replicas with 1 nvidia.com/gpu each do not fit: 1 of 8 nvidia.com/gpu is free on 2
 * nodes`. Pure.
 */
export function describeShort(fit: Fit & { kind: "short" }): string {
  const { asked, placed, each } = fit;
  const amounts = describeAmounts(each);
  const replicas = asked === 1 ? "1 more replica" : `${asked} more replicas`;
  const withWhat = amounts === "" ? "" : ` with ${amounts}${asked === 1 ? "" : " each"}`;
  const only =
    placed === 0
      ? asked === 1
        ? "does not fit"
        : "do not fit"
      : `need a place, and ${placed} ${placed === 1 ? "finds" : "find"} one`;
  return `${replicas}${withWhat} ${only}: ${describeWhy(fit)}`;
}

/** The reason alone: of what there is too little, and which nodes are left out. Pure. */
export function describeWhy({ shortages, nodes: eligible, leftOut }: Fit & { kind: "short" }): string {
  const why =
    eligible === 0
      ? "no node is one for them"
      : shortages.map((one) => describeShortage(one, eligible)).join("; ");
  const others = Object.entries(leftOut).map(([reason, count]) => `${nodes(count)} ${reason}`);
  const left = others.length === 0 ? "" : `. Left out: ${others.join("; ")}`;
  return `${why}${left}`;
}

function describeShortage({ resource, each, free, allocatable, most }: Shortage, eligible: number): string {
  const amount = (value: number) => describeAmount(resource, value);
  if (resource === "pods") {
    return `${nodes(eligible)} can take ${Math.floor(free)} more of ${amount(allocatable)} pods in all`;
  }
  const is = amount(free) === "1" ? "is" : "are";
  const most_ = eligible > 1 && free >= each && most < each ? `, at most ${amount(most)} on one` : "";
  return `${amount(free)} of ${amount(allocatable)} ${resource} ${is} free on ${nodes(eligible)}${most_}`;
}
