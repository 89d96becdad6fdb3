import { type Fields, isFields } from "../fields.ts";
import { quantityProblem, quantityValue } from "../quantity.ts";
import { problem, type SlotProblem } from "./problem.ts";

/** How many replicas a slot has, and what each of them asks for. */
export function sizeProblems(slot: Fields): SlotProblem[] {
  return [...scaling(slot), ...budget(slot), ...amounts(slot), ...gpus(slot)];
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
