import { routerNamed } from "../../component/routers/factory.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import type { Note } from "../../core/note.ts";
import { toShare } from "../../core/routing.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";

/** A difference that nobody would notice, in per cent of all requests. */
const tolerated = 0.1;

/** What the ingress controller makes of the steps of a release, where it can't share requests as they say. Pure. */
export function realShareNotes(
  { name, router, rollout }: Pick<ResolvedConfig, "name" | "router" | "rollout">,
  live: Slot,
  replicas: { readonly live: number; readonly next: number },
): Note[] {
  const { realSplit } = routerNamed(router);
  if (realSplit === undefined || replicas.live < 1 || replicas.next < 1) return [];
  const next = otherSlot(live);
  const of = (values: Readonly<Record<"live" | "next", number>>) => {
    const entries = { [live]: values.live, [next]: values.next };
    return { blue: entries.blue ?? 0, green: entries.green ?? 0 };
  };
  const uneven = [...new Set(rollout.steps.map(({ weight }) => weight))].flatMap((weight) => {
    const real = realSplit(of({ live: toShare(100 - weight), next: weight }), of(replicas))[next];
    return Math.abs(real - weight) < tolerated ? [] : [`${weight} % is ${percent(real)}`];
  });
  if (uneven.length === 0) return [];
  return [
    {
      code: "share-not-exact",
      message: `With ${count(replicas.live)} of ${live} and ${count(replicas.next)} of ${next} the router ${router} cannot share the requests of ${name} as the steps say: ${uneven.join(", ")}. Proofs and gates expect what really happens.`,
      hint: "Whole numbers stand for the shares of pods: larger steps, or as many replicas in both slots, come nearer.",
    },
  ];
}

function count(replicas: number): string {
  return `${replicas} ${replicas === 1 ? "replica" : "replicas"}`;
}

function percent(share: number): string {
  return `${Number(share.toPrecision(3))} %`;
}
