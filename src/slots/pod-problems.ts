import { digestMismatchExitCode } from "../core/release-contents.ts";
import { describeEnd } from "./containers.ts";
import type { ContainerStatus, PodObject } from "./kubernetes-objects.ts";
import type { PodProblem, PodProblemKind } from "./observation.ts";
import { isSidecarOf } from "./pod-waits.ts";

const pullReasons = new Set([
  "ErrImagePull",
  "ImagePullBackOff",
  "ErrImageNeverPull",
  "InvalidImageName",
  "ImageInspectError",
  "RegistryUnavailable",
]);
/** Of these the kubelet has not yet tried again: the next pull may work. */
const passingReasons = new Set(["ErrImagePull", "RegistryUnavailable"]);
/** What a registry or the way to it may get over by itself. */
const passingPull =
  /timeout|timed out|deadline exceeded|connection re(fused|set)|server misbehaving|unexpected EOF|TLS handshake|toomanyrequests|429 |5\d\d (Internal|Bad Gateway|Service Unavail|Gateway)|pull QPS exceeded/i;
const configReasons = new Set([
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "PreCreateHookError",
]);

/** What containerd before 2.1 says of a mount without a path on the host. */
const noImageVolumes = /failed to mkdir "": mkdir : no such file/;

/** Why a pod is not ready; `undefined` for a pod that is ready, starting normally, or on its way out. */
export function podProblem(pod: PodObject): PodProblem | undefined {
  const name = pod.metadata?.name ?? "";
  if (pod.metadata?.deletionTimestamp !== undefined) return undefined;
  const problem = (kind: PodProblemKind, reason: string, message: string, final: boolean): PodProblem => ({
    pod: name,
    kind,
    reason,
    message,
    final,
  });

  if (pod.status?.phase === "Failed") {
    const reason = pod.status.reason ?? "Failed";
    return problem("evicted", reason, pod.status.message ?? `The pod failed (${reason}).`, false);
  }
  const scheduled = pod.status?.conditions?.find((condition) => condition.type === "PodScheduled");
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") {
    return problem(
      "unschedulable",
      "Unschedulable",
      scheduled.message ?? "No node can take the pod.",
      // A cluster autoscaler may add a node: `waitReady` gives it some time.
      false,
    );
  }
  if (scheduled?.status === "False" && scheduled.reason === "SchedulingGated") {
    const gates = (pod.spec?.schedulingGates ?? []).map((gate) => gate.name).join(", ");
    const message = `It waits for its scheduling gates to be removed: ${gates}`;
    return problem("scheduling-gate", "SchedulingGated", message, false);
  }
  const init = (pod.status?.initContainerStatuses ?? []).map((status) => ({
    status,
    probed: isSidecarOf(pod.spec?.initContainers ?? [], status.name),
  }));
  const others = (pod.status?.containerStatuses ?? []).map((status) => ({ status, probed: true }));
  for (const { status, probed } of [...init, ...others]) {
    const inContainer: typeof problem = (...about) => ({ ...problem(...about), container: status.name });
    const found = modelProblem(status, inContainer) ?? containerProblem(status, inContainer, probed);
    if (found !== undefined) return found;
  }
  return gateProblem(pod, problem);
}

/** Conditions that something outside the pod has to set, for example the controller of a load balancer. */
function gateProblem(
  { spec, status }: PodObject,
  problem: (kind: PodProblemKind, reason: string, message: string, final: boolean) => PodProblem,
): PodProblem | undefined {
  const isTrue = (type: string) =>
    status?.conditions?.some((one) => one.type === type && one.status === "True") === true;
  if (!isTrue("ContainersReady") || isTrue("Ready")) return undefined;
  const missing = (spec?.readinessGates ?? [])
    .map((gate) => gate.conditionType)
    .filter((type) => !isTrue(type));
  if (missing.length === 0) return undefined;
  const shown = missing.map((type) => {
    const said = status?.conditions?.find((one) => one.type === type);
    const words = [said?.reason, said?.message].filter(Boolean).join(": ");
    return words === "" ? `"${type}"` : `"${type}" (${words})`;
  });
  const message = `Its containers are ready; it waits for its readiness ${missing.length === 1 ? "gate" : "gates"} ${shown.join(", ")}, which something outside the pod has to set`;
  return problem("readiness-gate", "ReadinessGatesNotReady", message, false);
}

/** What went wrong on the model's way into the pod: nobody has to know our init containers to understand it. */
function modelProblem(
  status: ContainerStatus,
  problem: (kind: PodProblemKind, reason: string, message: string, final: boolean) => PodProblem,
): PodProblem | undefined {
  if (status.name !== "fetch-model" && status.name !== "verify-model") return undefined;
  const ended = status.state?.terminated ?? status.lastState?.terminated;
  if (ended === undefined || (ended.exitCode ?? 0) === 0) return undefined;
  const said = (ended.message ?? "").trim().split("\n").at(-1) ?? "";
  if (ended.exitCode === digestMismatchExitCode) {
    // Another try would find the same model.
    const message = said === "" ? "The model is another one than the digest says." : said;
    return problem("model-digest", "ModelDigest", message, true);
  }
  const what = status.name === "fetch-model" ? "The model cannot be fetched" : "The model cannot be checked";
  const isFinal = status.state?.waiting?.reason === "CrashLoopBackOff" && (status.restartCount ?? 0) >= 1;
  if (pullReasons.has(status.state?.waiting?.reason ?? "")) return undefined;
  return problem(
    "model-fetch",
    "ModelFetch",
    `${what}: ${said === "" ? describeEnd(status) : said}`,
    isFinal,
  );
}

function containerProblem(
  status: ContainerStatus,
  problem: (kind: PodProblemKind, reason: string, message: string, final: boolean) => PodProblem,
  probed: boolean,
): PodProblem | undefined {
  const waiting = status.state?.waiting;
  const reason = waiting?.reason;
  if (reason !== undefined && pullReasons.has(reason)) {
    const what = status.image === undefined ? "The image" : `The image ${status.image}`;
    const why =
      reason === "ErrImageNeverPull"
        ? "is not on the node, and imagePullPolicy is Never"
        : `cannot be pulled${waiting?.message === undefined ? "" : `: ${waiting.message}`}`;
    const mayPass = passingReasons.has(reason) || passingPull.test(waiting?.message ?? "");
    return problem("image-pull", reason, `${what} ${why}`, !mayPass);
  }
  if (reason !== undefined && configReasons.has(reason)) {
    const message = waiting?.message ?? `Container ${status.name} cannot be made.`;
    if (noImageVolumes.test(message)) {
      const what = "The node's container runtime cannot mount an image (oci://) as a volume";
      return problem(
        "container-config",
        reason,
        `${what}: that needs containerd 2.1 or newer, or CRI-O.`,
        true,
      );
    }
    return problem("container-config", reason, message, reason === "CreateContainerConfigError");
  }
  const crashes = status.restartCount ?? 0;
  if (reason === "CrashLoopBackOff" || (status.state?.terminated !== undefined && crashes > 0)) {
    const message = `Container ${status.name} keeps ending: ${describeEnd(status)} (${crashes} ${crashes === 1 ? "restart" : "restarts"})`;
    return problem("crash-loop", "CrashLoopBackOff", message, reason === "CrashLoopBackOff" && crashes >= 1);
  }
  if (probed && status.state?.running !== undefined && status.ready === false && status.started === true) {
    return problem(
      "failing-probe",
      "NotReady",
      `Container ${status.name} runs, but its readiness probe does not pass`,
      false,
    );
  }
  return undefined;
}
