import {
  type Amounts,
  amountsOf,
  describeAmount,
  minus,
  plus,
  podLimits,
  podRequests,
  times,
} from "./amounts.ts";
import type { ContainerShape, PodAffinityShape, PodSpecShape, QuotaShape } from "./objects.ts";
import type { Demand } from "./room.ts";

/** What comes into a namespace, and what is gone by then. */
export interface QuotaChange {
  readonly add: readonly Demand[];
  /** Pods that are gone by then. */
  readonly remove: readonly PodSpecShape[];
  /** Objects that are made, by the name that quotas count them by: `deployments.apps`, `services`. @default none */
  readonly objects?: Readonly<Record<string, number>>;
}

/** A quota that leaves too little, or that demands a word about what containers ask for. */
export type QuotaProblem =
  | {
      readonly kind: "exceeded";
      readonly quota: string;
      /** As the quota names it: `requests.cpu`, `pods`, `count/deployments.apps`. */
      readonly resource: string;
      /** What the change asks for beside what is used. */
      readonly asked: number;
      readonly used: number;
      readonly hard: number;
    }
  | {
      readonly kind: "unspecified";
      readonly quota: string;
      readonly resource: string;
      /** Containers that do not say it. */
      readonly containers: readonly string[];
    };

/** Sums of fractions are a hair off. */
const hair = 1e-9;

/** What the quotas of a namespace have against a change. Pods are as the API server makes them: with the defaults of its LimitRanges. Pure. */
export function quotaProblems(quotas: readonly QuotaShape[], change: QuotaChange): readonly QuotaProblem[] {
  return quotas.flatMap((quota) => problemsOf(quota, change));
}

function problemsOf(quota: QuotaShape, { add, remove, objects = {} }: QuotaChange): QuotaProblem[] {
  const name = quota.metadata?.name ?? "";
  const hard = amountsOf({ ...quota.spec?.hard, ...quota.status?.hard });
  const used = amountsOf(quota.status?.used);
  const counted = add.filter(({ count, spec }) => count > 0 && covers(quota, spec));
  const unspecified = counted.flatMap(({ spec }) => unspecifiedOf(name, hard, spec));
  // A pod that a quota cannot count is refused before anything is summed up.
  if (unspecified.length > 0) return unique(unspecified);
  const comes = counted.map(({ count, spec }) => times(usageOf(spec), count)).reduce(plus, {});
  const goes = remove
    .filter((spec) => covers(quota, spec))
    .map(usageOf)
    .reduce(plus, {});
  // Quotas with a scope count pods only.
  const made = scopesOf(quota).length === 0 ? countsOf(objects) : {};
  const asked = plus(comes, made);
  const left = minus(used, goes);
  return Object.entries(hard).flatMap(([resource, most]): QuotaProblem[] => {
    const more = asked[resource] ?? 0;
    const now = Math.max(0, left[resource] ?? 0);
    if (more === 0 || now + more <= most + hair * Math.max(1, most)) return [];
    return [{ kind: "exceeded", quota: name, resource, asked: more, used: now, hard: most }];
  });
}

/** What one pod counts for, by all the names that quotas have for it. */
function usageOf(spec: PodSpecShape): Amounts {
  const usage: Record<string, number> = { pods: 1, "count/pods": 1 };
  const { pods: _, ...requests } = podRequests(spec);
  for (const [resource, value] of Object.entries(requests)) {
    usage[`requests.${resource}`] = value;
    if (isBasic(resource)) usage[resource] = value;
  }
  for (const [resource, value] of Object.entries(podLimits(spec))) {
    if (isBasic(resource)) usage[`limits.${resource}`] = value;
  }
  return usage;
}

/** Of these a quota may name the requests without `requests.`; of devices it may not. */
function isBasic(resource: string): boolean {
  return ["cpu", "memory", "ephemeral-storage"].includes(resource) || resource.startsWith("hugepages-");
}

/** Objects by both names that quotas have for those of the core group. */
function countsOf(objects: Readonly<Record<string, number>>): Amounts {
  return Object.fromEntries(
    Object.entries(objects).flatMap(([resource, count]) => [
      [`count/${resource}`, count],
      ...(resource.includes(".") ? [] : [[resource, count]]),
    ]),
  ) as Amounts;
}

/** Every container has to say these where a quota is about them, or name an amount for the whole pod. */
const demanded = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

function unspecifiedOf(quota: string, hard: Amounts, spec: PodSpecShape): QuotaProblem[] {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  return demanded
    .filter((resource) => hard[resource] !== undefined)
    .flatMap((resource) => {
      const key = resource.startsWith("limits.") ? "limits" : "requests";
      const plain = resource.replace(/^(limits|requests)\./, "");
      const says = ({ resources }: Pick<ContainerShape, "resources">) =>
        resources?.[key]?.[plain] !== undefined ||
        (key === "requests" && resources?.limits?.[plain] !== undefined);
      if (says({ ...(spec.resources === undefined ? {} : { resources: spec.resources }) })) return [];
      const silent = containers.filter((one) => !says(one)).map(({ name = "" }) => name);
      return silent.length === 0
        ? []
        : [{ kind: "unspecified" as const, quota, resource, containers: silent }];
    });
}

function unique(problems: readonly QuotaProblem[]): QuotaProblem[] {
  return [...new Map(problems.map((one) => [JSON.stringify(one), one])).values()];
}

interface Scope {
  readonly scopeName: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

function scopesOf({ spec }: QuotaShape): Scope[] {
  return [
    ...(spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" })),
    ...(spec?.scopeSelector?.matchExpressions ?? []),
  ];
}

/** Whether a quota counts a pod of a Deployment: all of its scopes have to fit. */
function covers(quota: QuotaShape, spec: PodSpecShape): boolean {
  return scopesOf(quota).every((scope) => isIn(scope, spec));
}

function isIn({ scopeName, operator, values = [] }: Scope, spec: PodSpecShape): boolean {
  switch (scopeName) {
    case "Terminating":
      // Pods with an end of their own: a Deployment has none.
      return false;
    case "NotTerminating":
      return true;
    case "BestEffort":
      return isBestEffort(spec);
    case "NotBestEffort":
      return !isBestEffort(spec);
    case "PriorityClass":
      return holds(spec.priorityClassName ?? "", operator, values);
    case "CrossNamespacePodAffinity":
      return [spec.affinity?.podAffinity, spec.affinity?.podAntiAffinity].some(looksElsewhere);
    default:
      return false;
  }
}

function holds(value: string, operator: string, values: readonly string[]): boolean {
  switch (operator) {
    case "In":
      return value !== "" && values.includes(value);
    case "NotIn":
      return !values.includes(value);
    case "DoesNotExist":
      return value === "";
    default:
      return value !== "";
  }
}

function isBestEffort(spec: PodSpecShape): boolean {
  const asks = ({ resources }: Pick<ContainerShape, "resources">) =>
    [resources?.requests, resources?.limits]
      .map(amountsOf)
      .some((amounts) => (amounts.cpu ?? 0) > 0 || (amounts.memory ?? 0) > 0);
  const whole = spec.resources === undefined ? [] : [{ resources: spec.resources }];
  return ![...(spec.initContainers ?? []), ...(spec.containers ?? []), ...whole].some(asks);
}

function looksElsewhere(affinity: PodAffinityShape | undefined): boolean {
  const required = affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  const preferred = (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map(
    ({ podAffinityTerm }) => podAffinityTerm,
  );
  return [...required, ...preferred].some(
    (term) => (term?.namespaces ?? []).length > 0 || term?.namespaceSelector !== undefined,
  );
}

/** `the ResourceQuota team leaves 1 of 4 requests.cpu, and 2 are asked for`. */
export function describeQuota(problem: QuotaProblem): string {
  const { quota, resource } = problem;
  switch (problem.kind) {
    case "unspecified":
      return `the ResourceQuota ${quota} wants ${resource} to be said, and ${listed(problem.containers)} not say it`;
    case "exceeded": {
      const amount = (value: number) => describeAmount(resource.replace(/^(limits|requests)\./, ""), value);
      const free = Math.max(0, problem.hard - problem.used);
      return `the ResourceQuota ${quota} leaves ${amount(free)} of ${amount(problem.hard)} ${resource}, and ${amount(problem.asked)} more ${problem.asked === 1 ? "is" : "are"} asked for`;
    }
  }
}

function listed(containers: readonly string[]): string {
  return containers.length === 1
    ? `the container ${containers[0]} does`
    : `the containers ${containers.join(", ")} do`;
}
