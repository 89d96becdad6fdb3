import type { PodEvidence, PodProblem, PodsRefused, SlotObservation } from "./observation.ts";
import { probeHint } from "./probe-hint.ts";
import type { Readiness } from "./readiness.ts";

/** What to do about a slot that does not become ready. Pure. */
export function hintFor(
  observed: SlotObservation,
  verdict: Extract<Readiness, { state: "not-ready" }>,
  evidence: readonly PodEvidence[],
): string {
  if (observed.service === undefined) return "Run `modelswitch up`: it makes what is missing.";
  const { deployment } = observed;
  if (deployment?.refused !== undefined) return refusedHint(deployment.refused);
  const problem = verdict.problems[0] ?? verdict.waiting[0];
  return problem === undefined ? unknownHint(observed) : problemHint(problem, observed, evidence);
}

function unknownHint({ deployment }: SlotObservation): string {
  return deployment === undefined
    ? "Start pods with these labels and a passing readiness probe; then run the command again."
    : "`modelswitch status` shows the slot; run the command again once it is ready.";
}

function refusedHint({ message, since, final }: PodsRefused): string {
  const again =
    since === undefined
      ? "Then run the command again."
      : `Then run the command again; Kubernetes, which was refused first at ${since}, tries again by itself after ever longer pauses.`;
  if (/quota/.test(message))
    return `Raise the quota, free what others use of it, or lower what the slot asks for. ${again}`;
  if (/failed (calling|to call) webhook/.test(message)) {
    return `An admission webhook does not answer: whoever runs it has to bring it back. ${again}`;
  }
  if (!final) return `Look at what the API server says above. ${again}`;
  if (/PodSecurity/.test(message)) {
    return `Give the slot's pods the security settings that the namespace asks for (securityContext, pod.securityContext), or label the namespace otherwise. ${again}`;
  }
  return `Change the slot's pods in the config file so that the cluster takes them, or have the rule changed. ${again}`;
}

function problemHint(
  problem: PodProblem,
  observed: SlotObservation,
  evidence: readonly PodEvidence[],
): string {
  switch (problem.kind) {
    case "image-pull":
      return `Make the image ${observed.deployment?.image ?? ""} available to the nodes, or change it in the config file; then run the command again.`;
    case "crash-loop":
    case "container-config":
      return "Mend what the container says above (image, arguments, environment) in the config file and run `modelswitch up`.";
    case "model-digest":
      return "Correct model.uri or model.digest in the config file (`sha256sum FILE` prints the digest of a file) and run `modelswitch up`.";
    case "model-fetch":
      return "Correct model.uri, the credentials in model.fetcher.env or the permissions of the files and run `modelswitch up`; see what the container says above.";
    case "unschedulable":
      return unschedulableHint(problem.message);
    case "failing-probe":
      return (
        probeHint(evidence.flatMap(({ events }) => events)) ??
        "Look at the pod's log; if the model only loads slowly, raise deadlines.ready in the config file."
      );
    case "readiness-gate":
      return "See that the controller which sets this condition runs and knows the pod, or take the gate away.";
    case "scheduling-gate":
      return "See that the controller which removes these gates runs (a queue may hold the pod on purpose), or take them away.";
    case "no-endpoint":
      return "Make the Service's selector and port match the pods; then run the command again.";
    case "starting":
      if (evidence.some(({ events }) => events.some((event) => /^Failed(Mount|AttachVolume)/.test(event)))) {
        return "Make what the volume names (a Secret, a ConfigMap, a claim), or correct its name in the config file; then run the command again.";
      }
      return "Look at the pod's events and log above; if it only starts slowly, raise deadlines.ready in the config file.";
    case "evicted":
      return unknownHint(observed);
  }
}

function unschedulableHint(message: string): string {
  if (/persistentvolume/i.test(message)) {
    return "Make the volume claim that the pods name, or see why it is not bound (`kubectl describe pvc`); then run the command again.";
  }
  const device = /Insufficient ([\w.-]+\/[\w.-]+)/.exec(message)?.[1];
  if (device !== undefined) {
    return `Free or add nodes with ${device}; where they have it and don't offer it, its device plug-in does not run there. Then run the command again.`;
  }
  return "Free or add capacity, or lower the slot's resource requests; then run the command again.";
}
