import type { DeploymentObservation, PodProblem } from "./observation.ts";

/** How long a pod may be unschedulable before it is asked whether a node comes: an autoscaler needs a moment to say so. */
const unschedulableGraceMs = 20_000;
/** A final problem must be seen for this long: a pod that was just replaced is still listed for a moment. */
const finalGraceMs = 1_000;
/** What a container needs may be made beside it, for example a Secret by an operator. */
const containerConfigGraceMs = 15_000;
/** A refusal from before may have been mended since; Kubernetes tries again after ever longer pauses. */
const formerRefusalGraceMs = 60_000;

/** What waiting does not mend: the pods are refused, or these are their problems. */
export type Hopeless =
  | { readonly kind: "refused" }
  | { readonly kind: "pods"; readonly problems: readonly PodProblem[] };

/** Judges, look after look, whether waiting longer for a Deployment is pointless. A pod that fits on no node is in the problems: a node may come. */
export class HopelessJudge {
  readonly #firstSeen = new Map<string, number>();
  #refusedBefore: { readonly id: string | undefined } | undefined;

  /** `refusedBefore`: what refusal of pods was known before anything was changed; Kubernetes repeats it until it tries again. @default the first that is seen */
  constructor(refusedBefore?: { readonly id: string | undefined }) {
    this.#refusedBefore = refusedBefore;
  }

  /** `deployment`: `undefined` where somebody else runs the pods. `now`: milliseconds of the same clock at each look. */
  judge(
    deployment: DeploymentObservation | undefined,
    problems: readonly PodProblem[],
    now: number,
  ): Hopeless | undefined {
    const refused = deployment?.refused;
    this.#refusedBefore ??= { id: refused?.id };
    if (refused?.final === true) {
      const graceMs = refused.id === this.#refusedBefore.id ? formerRefusalGraceMs : finalGraceMs;
      if (this.#lasts(`refused ${refused.id}`, graceMs, now)) return { kind: "refused" };
    }
    if (deployment !== undefined && !hasPresentPods(deployment)) return undefined;
    const lasting = problems.filter((problem) => this.#isHopeless(problem, now));
    return lasting.length === 0 ? undefined : { kind: "pods", problems: lasting };
  }

  #isHopeless(problem: PodProblem, now: number): boolean {
    if (!problem.final && problem.kind !== "unschedulable") return false;
    return this.#lasts(`${problem.pod} ${problem.kind}`, graceOf(problem), now);
  }

  #lasts(what: string, graceMs: number, now: number): boolean {
    const since = this.#firstSeen.get(what) ?? now;
    this.#firstSeen.set(what, since);
    return now - since >= graceMs;
  }
}

/** Whether pods of the present template exist: problems of others say nothing about it. */
function hasPresentPods(deployment: DeploymentObservation): boolean {
  return deployment.observedGeneration >= deployment.generation && deployment.updatedReplicas > 0;
}

function graceOf({ kind }: PodProblem): number {
  if (kind === "unschedulable") return unschedulableGraceMs;
  return kind === "container-config" ? containerConfigGraceMs : finalGraceMs;
}
