import { type Fields, isFields, valueAt } from "../fields.ts";
import { listOf, problem, type SlotProblem } from "./problem.ts";

/** Fields that have a word of their own, or that modelswitch decides; by where they would stand in Kubernetes. */
const elsewhere: Readonly<Record<"deployment" | "pod" | "container", Readonly<Record<string, string>>>> = {
  deployment: {
    replicas: "say replicas or autoscaling",
    selector: "a slot's selector never changes; it is slots.SLOT.selector",
    template: "say kubernetes.pod and kubernetes.container",
    paused: "a paused Deployment never becomes ready",
  },
  pod: {
    containers: "say pod.containers",
    initContainers: "say pod.initContainers",
    volumes: "say pod.volumes",
    restartPolicy: "pods of a Deployment are always restarted",
  },
  container: {
    name: "the server's container is called model",
    image: "say image",
    imagePullPolicy: "say imagePullPolicy",
    command: "say command",
    args: "say args",
    volumeMounts: "say volumeMounts",
  },
};

/** Words for what is said in Kubernetes' own terms, too: which one counts would be a guess. */
const words: Readonly<Record<"pod" | "container", Readonly<Record<string, readonly string[]>>>> = {
  pod: {
    nodeSelector: ["pod", "nodeSelector"],
    tolerations: ["pod", "tolerations"],
    affinity: ["pod", "affinity"],
    topologySpreadConstraints: ["pod", "topologySpread"],
    serviceAccountName: ["pod", "serviceAccount"],
    automountServiceAccountToken: ["pod", "mountServiceAccountToken"],
    priorityClassName: ["pod", "priorityClass"],
    runtimeClassName: ["pod", "runtimeClass"],
    securityContext: ["pod", "securityContext"],
    imagePullSecrets: ["pod", "imagePullSecrets"],
  },
  container: { resources: ["resources"], securityContext: ["securityContext"] },
};

/** Rules of the fields that are said as Kubernetes has them. */
export function kubernetesProblems(slot: Fields): SlotProblem[] {
  const { kubernetes } = slot;
  if (!isFields(kubernetes)) return [];
  const found: SlotProblem[] = [];
  for (const place of ["deployment", "pod", "container"] as const) {
    const fields = kubernetes[place];
    if (!isFields(fields)) continue;
    for (const field of Object.keys(fields)) {
      const path = ["kubernetes", place, field] as const;
      const instead = elsewhere[place][field];
      if (instead !== undefined) found.push(problem(path, `has no place here: ${instead}`));
      const word = place === "deployment" ? undefined : words[place][field];
      if (word !== undefined && valueAt(slot, word) !== undefined)
        found.push(problem(path, `is said by ${word.join(".")}, too; keep one of them`));
    }
  }
  const { container } = kubernetes;
  const env = isFields(slot.env) ? slot.env : {};
  for (const [index, entry] of listOf(isFields(container) ? container.env : undefined).entries()) {
    const name = isFields(entry) ? entry.name : undefined;
    const path = ["kubernetes", "container", "env", index] as const;
    if (typeof name !== "string") found.push(problem([...path, "name"], "is missing"));
    else if (isFields(entry) && entry.value !== undefined)
      found.push(problem([...path, "value"], `has no place here: say "${name}" in env`));
    else if (env[name] !== undefined)
      found.push(problem([...path, "name"], `"${name}" is in env, too; keep one of them`));
  }
  return found;
}
