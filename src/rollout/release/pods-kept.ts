import type { Admission } from "../capacity/dry-run.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Deployed } from "../context/deployed.ts";
import { releaseDifferences } from "../record/release-spec.ts";
import type { Start } from "./begin-rollout.ts";

/**
 * Says where a release gets no pods of its own: Kubernetes makes new ones only where their template changes. Those that are there stay, with
 * what became of them since, and only the number of their release changes.
 */
export function warnOfKeptPods(
  { events, namespace }: RolloutContext,
  { record, observation }: Deployed,
  { phase, isNew, release }: Start,
  admission: Admission | undefined,
): void {
  const { deployment, pods } = observation.slots[release.slot];
  const former = record.releases.find(({ number }) => number === deployment?.release);
  const present = pods.filter(({ terminating, former, stray }) => !terminating && !former && !stray);
  if (phase !== "deploy" || !isNew || deployment === undefined || former === undefined) return;
  if (present.length === 0 || deployment.desiredReplicas === 0) return;
  const changes = releaseDifferences(former.spec, release.spec);
  const isNewTemplate =
    admission?.isSameTemplate === undefined
      ? changes.length > 0
      : !admission.isSameTemplate || changes.some(({ path }) => path.startsWith("versions"));
  if (isNewTemplate) return;
  const { slot, number } = release;
  const its = present.length === 1 ? "its pod stays as it is" : `its ${present.length} pods stay as they are`;
  events({
    type: "warning",
    code: "pods-kept",
    message: `Release ${number} is what release ${former.number} was, and ${slot} still runs that: ${its}, with whatever became of them since; none is new.`,
    hint: `For new pods, abort it and release with something that differs (\`--set pod.annotations.again=1\`), or run \`kubectl -n ${namespace} rollout restart deployment/${deployment.name}\`: ${slot} has no traffic yet.`,
  });
}
