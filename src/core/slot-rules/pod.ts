import { type Fields, isFields } from "../fields.ts";
import { ownContainerNames, ownVolumeNames } from "../release-contents.ts";
import { listOf, problem, type SlotProblem } from "./problem.ts";

/** Labels that modelswitch sets itself on every pod. */
export const ownPodLabels: readonly string[] = [
  ...["app", "version", "app.kubernetes.io/name", "app.kubernetes.io/instance"],
  "app.kubernetes.io/managed-by",
];

/** What is added to the pods, as Kubernetes knows it. */
export function podProblems(slot: Fields): SlotProblem[] {
  const { pod, volumeMounts, selector } = slot;
  // What is not there takes no name.
  const [fetched, files] = ownVolumeNames;
  const taken = [
    ...(slot.model === undefined ? [] : [fetched]),
    ...(slot.configFiles === undefined ? [] : [files]),
  ];
  const settings = isFields(pod) ? pod : {};
  const found: SlotProblem[] = [];
  const containers = [
    ...named(settings.initContainers, ["pod", "initContainers"]),
    ...named(settings.containers, ["pod", "containers"]),
  ];
  found.push(...names(containers, ownContainerNames, "container"));
  const volumes = named(settings.volumes, ["pod", "volumes"]);
  found.push(...names(volumes, taken, "volume"));
  const known = new Set([...volumes.map(({ name }) => name), ...ownVolumeNames]);
  for (const [index, mount] of listOf(volumeMounts).entries()) {
    if (!isFields(mount) || typeof mount.name !== "string" || known.has(mount.name)) continue;
    const listed = volumes.map(({ name }) => name).join(", ") || "none";
    found.push(
      problem(["volumeMounts", index, "name"], `"${mount.name}" is none of pod.volumes (${listed})`),
    );
  }
  for (const [label, value] of Object.entries(isFields(settings.labels) ? settings.labels : {})) {
    const own = isFields(selector) ? selector[label] : undefined;
    const isOwn = own !== undefined || ownPodLabels.includes(label);
    if (!isOwn || own === value) continue;
    const why = own === undefined ? "modelswitch sets it itself" : `the slot's selector has "${own}"`;
    found.push(problem(["pod", "labels", label], `cannot be "${value}": ${why}`));
  }
  for (const [index, toleration] of listOf(settings.tolerations).entries()) {
    if (!isFields(toleration)) continue;
    const path = ["pod", "tolerations", index] as const;
    if (toleration.operator === "Exists" && toleration.value !== undefined)
      found.push(
        problem([...path, "value"], "is given, but the operator Exists takes any value; leave it out"),
      );
    if (toleration.tolerationSeconds !== undefined && toleration.effect !== "NoExecute")
      found.push(problem([...path, "tolerationSeconds"], "only works with effect: NoExecute"));
    if (toleration.key === undefined && toleration.operator !== "Exists")
      found.push(
        problem(
          [...path, "key"],
          "is missing; without one only operator: Exists is allowed, which tolerates every taint",
        ),
      );
  }
  return found;
}

interface Named {
  readonly path: SlotProblem["path"];
  readonly name: string | undefined;
  readonly needsImage: boolean;
}

function named(list: unknown, path: SlotProblem["path"]): Named[] {
  return listOf(list).flatMap((entry, index) =>
    isFields(entry)
      ? [
          {
            path: [...path, index],
            name: typeof entry.name === "string" ? entry.name : undefined,
            needsImage: entry.image === undefined,
          },
        ]
      : [],
  );
}

function names(
  entries: readonly Named[],
  own: readonly string[],
  what: "container" | "volume",
): SlotProblem[] {
  const found: SlotProblem[] = [];
  const seen = new Set<string>();
  for (const { path, name, needsImage } of entries) {
    if (name === undefined) {
      found.push(problem([...path, "name"], "is missing"));
      continue;
    }
    if (own.includes(name))
      found.push(
        problem([...path, "name"], `"${name}" is the name of modelswitch's own ${what}; choose another`),
      );
    else if (seen.has(name))
      found.push(
        problem([...path, "name"], `"${name}" is there twice; each ${what} needs a name of its own`),
      );
    seen.add(name);
    if (what === "container" && needsImage) found.push(problem([...path, "image"], "is missing"));
  }
  return found;
}
