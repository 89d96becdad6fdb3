import type { Fields } from "../fields.ts";
import { contentsProblems } from "./contents.ts";
import { kubernetesProblems } from "./kubernetes.ts";
import { podProblems } from "./pod.ts";
import type { SlotProblem } from "./problem.ts";
import { sizeProblems } from "./size.ts";

/**
 * Rules over several fields of a slot that its types alone don't say. Reads raw input, so that it works for half-right files; values
 * that are not known yet, as of Pulumi, are passed over. Pure.
 */
export function slotProblems(slot: Fields): SlotProblem[] {
  return [
    ...sizeProblems(slot),
    ...contentsProblems(slot),
    ...podProblems(slot),
    ...kubernetesProblems(slot),
  ];
}
