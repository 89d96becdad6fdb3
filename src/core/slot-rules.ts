import { type Fields, isFields } from "./fields.ts";
import { parseModelUri } from "./model-uri.ts";
import { quantityProblem, quantityValue } from "./quantity.ts";
import { ownContainerNames, ownVolumeNames } from "./release-contents.ts";

/** One mistake in what a slot runs. */
export interface SlotProblem {
  /** Keys from the slot on, for example `["autoscaling", "min"]`. */
  readonly path: readonly (string | number)[];
  /** To be read after the path: `is missing`. */
  readonly message: string;
}

/** ConfigMaps hold 1 MiB, and the rollout record keeps the files of many releases. */
export const largestConfigFiles = 256 * 1024;

/**
 * Rules over several fields of a slot that its types alone don't say. Reads raw input, so that it works for half-right files; values
 * that are not known yet, as of Pulumi, are passed over. Pure.
 */
export function slotProblems(slot: Fields): SlotProblem[] {
  return [
    ...scaling(slot),
    ...budget(slot),
    ...amounts(slot),
    ...gpus(slot),
    ...model(slot),
    ...environment(slot.env, ["env"]),
    ...configFiles(slot),
    ...mounts(slot),
    ...pod(slot),
  ];
}

const problem = (path: SlotProblem["path"], message: string): SlotProblem => ({ path, message });

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function scaling({ autoscaling, replicas, resources }: Fields): SlotProblem[] {
  if (!isFields(autoscaling)) return [];
  const found: SlotProblem[] = [];
  const { min, max, cpu, memory, metrics } = autoscaling;
  if (replicas !== undefined) {
    found.push(
      problem(
        ["replicas"],
        "is given, and autoscaling too; the autoscaler sets the number: keep one of the two",
      ),
    );
  }
  if (typeof min === "number" && min < 1)
    found.push(problem(["autoscaling", "min"], `${min} is too small; it must be at least 1`));
  if (typeof min === "number" && typeof max === "number" && min > max)
    found.push(problem(["autoscaling", "min"], `${min} is more than autoscaling.max ${max}`));
  const requests = isFields(resources) && isFields(resources.requests) ? resources.requests : {};
  const limits = isFields(resources) && isFields(resources.limits) ? resources.limits : {};
  const byDefault = cpu === undefined && memory === undefined && metrics === undefined;
  for (const [name, target] of Object.entries({ cpu: byDefault ? 80 : cpu, memory })) {
    if (typeof target !== "number" || requests[name] !== undefined || limits[name] !== undefined) continue;
    found.push(
      problem(
        ["autoscaling", ...(byDefault ? [] : [name])],
        `aims at ${target} % of the requested ${name}, but resources.requests.${name} is missing; give it, for example "${name === "cpu" ? "500m" : "1Gi"}"`,
      ),
    );
  }
  return found;
}

function budget({ disruptionBudget, replicas, autoscaling }: Fields): SlotProblem[] {
  if (!isFields(disruptionBudget)) return [];
  const { maxUnavailable, minAvailable } = disruptionBudget;
  const forEver =
    "so no node with such a pod could ever be drained; use maxUnavailable: 1, or false for no budget";
  if (maxUnavailable === 0 || maxUnavailable === "0" || maxUnavailable === "0%")
    return [problem(["disruptionBudget", "maxUnavailable"], `is ${maxUnavailable}, ${forEver}`)];
  const fewest = isFields(autoscaling) ? autoscaling.min : (replicas ?? 1);
  const blocks =
    minAvailable === "100%" ||
    (typeof minAvailable === "number" && typeof fewest === "number" && minAvailable >= fewest);
  if (!blocks) return [];
  return [
    problem(["disruptionBudget", "minAvailable"], `is ${minAvailable} of ${fewest} replicas, ${forEver}`),
  ];
}

function amounts({ resources, model }: Fields): SlotProblem[] {
  const fetcher = isFields(model) && isFields(model.fetcher) ? model.fetcher.resources : undefined;
  return [...amountsOf(resources, ["resources"]), ...amountsOf(fetcher, ["model", "fetcher", "resources"])];
}

function amountsOf(resources: unknown, path: SlotProblem["path"]): SlotProblem[] {
  if (!isFields(resources)) return [];
  const found: SlotProblem[] = [];
  for (const kind of ["requests", "limits"]) {
    for (const [name, value] of Object.entries(isFields(resources[kind]) ? resources[kind] : {})) {
      const message = typeof value === "string" ? quantityProblem(value) : undefined;
      if (message !== undefined) found.push(problem([...path, kind, name], message));
    }
  }
  const { requests, limits } = resources;
  if (!isFields(requests) || !isFields(limits)) return found;
  for (const name of Object.keys(requests)) {
    const asked = quantityValue(requests[name]);
    const limit = quantityValue(limits[name]);
    if (asked === undefined || limit === undefined || asked <= limit) continue;
    found.push(
      problem(
        [...path, "requests", name],
        `"${requests[name]}" is more than limits.${name} "${limits[name]}"`,
      ),
    );
  }
  return found;
}

function gpus({ gpus, resources }: Fields): SlotProblem[] {
  if (gpus === undefined) return [];
  const count = isFields(gpus) ? gpus.count : gpus;
  const path = isFields(gpus) ? ["gpus", "count"] : ["gpus"];
  if (typeof count === "number" && !Number.isInteger(count)) {
    const hint =
      'to share one, name what the device plug-in offers, for example { count: 1, resource: "nvidia.com/mig-1g.5gb" }';
    return [problem(path, `${count} is no whole number, and Kubernetes only gives whole GPUs; ${hint}`)];
  }
  if (typeof count === "number" && count < 1)
    return [problem(path, `${count} is too small; leave gpus out for none`)];
  const name = isFields(gpus) ? gpus.resource : "nvidia.com/gpu";
  if (typeof name !== "string") return [];
  if (!/^[a-z0-9.-]+\/[A-Za-z0-9._-]+$/.test(name))
    return [
      problem(
        ["gpus", "resource"],
        `"${name}" is no resource of a device plug-in, for example nvidia.com/gpu`,
      ),
    ];
  const named = ["limits", "requests"].find(
    (kind) => isFields(resources) && isFields(resources[kind]) && resources[kind][name] !== undefined,
  );
  return named === undefined
    ? []
    : [problem(["gpus"], `is given, and resources.${named}["${name}"] too; keep one of the two`)];
}

function model({ model }: Fields): SlotProblem[] {
  if (!isFields(model)) return [];
  const { uri, digest, fetcher } = model;
  const found: SlotProblem[] = [];
  if (typeof digest === "string" && !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    found.push(
      problem(
        ["model", "digest"],
        `"${digest}" is no digest: sha256: and 64 hexadecimal digits, as sha256sum writes them`,
      ),
    );
  }
  if (isFields(fetcher)) found.push(...environment(fetcher.env, ["model", "fetcher", "env"]));
  if (typeof uri !== "string" || uri === "") return found;
  const parsed = parseModelUri(uri);
  if (parsed.kind === "invalid") found.push(problem(["model", "uri"], `"${uri}" ${parsed.message}`));
  if (parsed.kind === "image" && fetcher !== undefined)
    found.push(
      problem(
        ["model", "fetcher"],
        "is given, but an oci:// model is mounted by the container runtime; leave it out",
      ),
    );
  if (parsed.kind === "image" && typeof digest === "string" && parsed.image.includes("@"))
    found.push(
      problem(["model", "digest"], "is given, and the oci:// URI has a digest, too; keep one of the two"),
    );
  if (parsed.kind === "claim" && digest === undefined && fetcher !== undefined)
    found.push(
      problem(
        ["model", "fetcher"],
        "is given, but nothing is fetched from a pvc:// model without digest; leave it out",
      ),
    );
  return found;
}

function environment(env: unknown, path: SlotProblem["path"]): SlotProblem[] {
  if (!isFields(env)) return [];
  return Object.entries(env).flatMap(([name, value]) => {
    if (!isFields(value) || !("secret" in value && "configMap" in value)) return [];
    return [problem([...path, name], "names a Secret and a ConfigMap; keep one of the two")];
  });
}

function configFiles({ configFiles }: Fields): SlotProblem[] {
  if (!isFields(configFiles)) return [];
  const found: SlotProblem[] = [];
  let size = 0;
  for (const [path, contents] of Object.entries(configFiles)) {
    if (!isFilePath(path)) {
      found.push(
        problem(
          ["configFiles", path],
          "is no absolute path of a file in the container, for example /etc/model/config.json",
        ),
      );
    }
    if (typeof contents === "string") size += new TextEncoder().encode(contents).length;
  }
  if (size > largestConfigFiles) {
    found.push(
      problem(
        ["configFiles"],
        `are ${Math.ceil(size / 1024)} KiB together, but may be ${largestConfigFiles / 1024}; put large files into the image or the model`,
      ),
    );
  }
  return found;
}

function isFilePath(path: string): boolean {
  return /^(\/[^/]+)+$/.test(path) && !path.split("/").includes("..") && !path.includes(":");
}

function mounts({ model, secrets, configFiles, volumeMounts }: Fields): SlotProblem[] {
  const places: { path: SlotProblem["path"]; at: unknown; name: string }[] = [];
  if (isFields(model)) {
    places.push({ path: ["model", "mountPath"], at: model.mountPath ?? "/mnt/models", name: "the model" });
  }
  for (const [index, mount] of listOf(secrets).entries()) {
    if (isFields(mount))
      places.push({
        path: ["secrets", index, "mountPath"],
        at: mount.mountPath,
        name: `the Secret ${mount.secret}`,
      });
  }
  for (const path of Object.keys(isFields(configFiles) ? configFiles : {}))
    places.push({ path: ["configFiles", path], at: path, name: "a config file" });
  for (const [index, mount] of listOf(volumeMounts).entries()) {
    if (isFields(mount))
      places.push({
        path: ["volumeMounts", index, "mountPath"],
        at: mount.mountPath,
        name: `the volume ${mount.name}`,
      });
  }
  const found: SlotProblem[] = [];
  const taken = new Map<string, string>();
  for (const { path, at, name } of places) {
    if (typeof at !== "string") continue;
    if (!at.startsWith("/") || at === "/") {
      if (path[0] !== "configFiles")
        found.push(problem(path, `"${at}" is no absolute path below /, for example /etc/model`));
      continue;
    }
    const place = at.replace(/\/+$/, "");
    const other = taken.get(place);
    if (other !== undefined)
      found.push(problem(path, `"${at}" is where ${other} is mounted; each needs a place of its own`));
    taken.set(place, name);
  }
  return found;
}

function pod({ pod, volumeMounts, selector }: Fields): SlotProblem[] {
  const settings = isFields(pod) ? pod : {};
  const found: SlotProblem[] = [];
  const containers = [
    ...named(settings.initContainers, ["pod", "initContainers"]),
    ...named(settings.containers, ["pod", "containers"]),
  ];
  found.push(...names(containers, ownContainerNames, "container"));
  const volumes = named(settings.volumes, ["pod", "volumes"]);
  found.push(...names(volumes, ownVolumeNames, "volume"));
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
    const isOwn =
      own !== undefined || label === "app" || label === "version" || label.startsWith("app.kubernetes.io/");
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
