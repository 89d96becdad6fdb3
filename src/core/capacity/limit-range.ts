import { type Amounts, amountsOf, describeAmount, sumOf } from "./amounts.ts";
import type { ContainerShape, LimitRangeShape, PodSpecShape, Quantities } from "./objects.ts";

type Rule = NonNullable<NonNullable<LimitRangeShape["spec"]>["limits"]>[number];

/** A rule of a LimitRange that pods do not keep: they would never be created. */
export interface LimitViolation {
  readonly limitRange: string;
  /** `the container model`, or `a pod`. */
  readonly what: string;
  readonly resource: string;
  /** What it has, and what is allowed, in words: `limits.cpu is 8, at most 4 is allowed`. */
  readonly text: string;
}

/** Pods as the API server makes them: what containers leave open is filled in with the defaults of the namespace. Pure. */
export function withLimitDefaults(spec: PodSpecShape, ranges: readonly LimitRangeShape[]): PodSpecShape {
  const rules = rulesOf(ranges).filter(({ rule }) => rule.type === "Container");
  const filled = (container: ContainerShape): ContainerShape => {
    let { requests, limits } = withImpliedRequests(container.resources);
    for (const { rule } of rules) {
      limits = { ...rule.default, ...limits };
      requests = { ...rule.defaultRequest, ...requests };
    }
    return { ...container, resources: { limits, requests } };
  };
  return {
    ...spec,
    ...(spec.containers === undefined ? {} : { containers: spec.containers.map(filled) }),
    ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.map(filled) }),
  };
}

/** Where there is only a limit, Kubernetes asks for that. */
function withImpliedRequests(given: ContainerShape["resources"]): {
  readonly requests: Quantities;
  readonly limits: Quantities;
} {
  return { limits: { ...given?.limits }, requests: { ...given?.limits, ...given?.requests } };
}

/** What of the namespace's rules pods do not keep, once the defaults are filled in; the same pods would be refused one by one. Pure. */
export function limitViolations(
  spec: PodSpecShape,
  ranges: readonly LimitRangeShape[],
): readonly LimitViolation[] {
  const filled = withLimitDefaults(spec, ranges);
  const broken = overDefault(spec, filled, ranges);
  // Such pods are not valid at all, whatever the rules say.
  if (broken.length > 0) return broken;
  return rulesOf(ranges).flatMap(({ limitRange, rule }) =>
    subjectsOf(filled, rule.type).flatMap(({ what, requests, limits }) =>
      violationsOf(rule, requests, limits).map((found) => ({ limitRange, what, ...found })),
    ),
  );
}

/** Containers that ask for more than the limit which the namespace gives them for want of one of their own. */
function overDefault(
  given: PodSpecShape,
  filled: PodSpecShape,
  ranges: readonly LimitRangeShape[],
): LimitViolation[] {
  const containers = [...(given.initContainers ?? []), ...(given.containers ?? [])];
  return [...(filled.initContainers ?? []), ...(filled.containers ?? [])].flatMap((container, index) => {
    const own = amountsOf(containers[index]?.resources?.limits);
    const requests = amountsOf(container.resources?.requests);
    return Object.entries(amountsOf(container.resources?.limits)).flatMap(([resource, limit]) => {
      const request = requests[resource];
      if (own[resource] !== undefined || request === undefined || request <= limit) return [];
      const say = amountOf(resource);
      return [
        {
          limitRange:
            rulesOf(ranges).find(({ rule }) => rule.default?.[resource] !== undefined)?.limitRange ?? "",
          what: `the container ${container.name ?? ""}`.trim(),
          resource,
          text: `requests.${resource} is ${say(request)}, and without a limit of its own it gets ${say(limit)}`,
        },
      ];
    });
  });
}

function rulesOf(ranges: readonly LimitRangeShape[]): { limitRange: string; rule: Rule }[] {
  return ranges.flatMap(({ metadata, spec }) =>
    (spec?.limits ?? []).map((rule) => ({ limitRange: metadata?.name ?? "", rule })),
  );
}

interface Subject {
  readonly what: string;
  readonly requests: Amounts;
  readonly limits: Amounts;
}

function subjectsOf(spec: PodSpecShape, type: string | undefined): Subject[] {
  const of = (key: "requests" | "limits") => (container: ContainerShape) =>
    amountsOf(container.resources?.[key]);
  switch (type) {
    case "Container":
      return [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((container) => ({
        what: `the container ${container.name ?? ""}`.trim(),
        requests: of("requests")(container),
        limits: of("limits")(container),
      }));
    case "Pod":
      return [
        {
          what: "a pod",
          requests: { ...sumOf(spec, of("requests")), ...amountsOf(spec.resources?.requests) },
          limits: { ...sumOf(spec, of("limits")), ...amountsOf(spec.resources?.limits) },
        },
      ];
    default:
      // Claims for volumes are not made here.
      return [];
  }
}

function violationsOf(
  rule: Rule,
  requests: Amounts,
  limits: Amounts,
): Pick<LimitViolation, "resource" | "text">[] {
  const found: Pick<LimitViolation, "resource" | "text">[] = [];
  for (const [resource, least] of Object.entries(amountsOf(rule.min))) {
    const say = amountOf(resource);
    const [request, limit] = [requests[resource], limits[resource]];
    const must = `at least ${say(least)} is asked for`;
    if (request === undefined) found.push({ resource, text: `requests.${resource} is not set, ${must}` });
    else if (request < least)
      found.push({ resource, text: `requests.${resource} is ${say(request)}, ${must}` });
    if (limit !== undefined && limit < least)
      found.push({ resource, text: `limits.${resource} is ${say(limit)}, ${must}` });
  }
  for (const [resource, most] of Object.entries(amountsOf(rule.max))) {
    const say = amountOf(resource);
    const [request, limit] = [requests[resource], limits[resource]];
    const may = `at most ${say(most)} is allowed`;
    if (limit === undefined) found.push({ resource, text: `limits.${resource} is not set, ${may}` });
    else if (limit > most) found.push({ resource, text: `limits.${resource} is ${say(limit)}, ${may}` });
    if (request !== undefined && request > most)
      found.push({ resource, text: `requests.${resource} is ${say(request)}, ${may}` });
  }
  for (const [resource, most] of Object.entries(amountsOf(rule.maxLimitRequestRatio))) {
    const [request = 0, limit = 0] = [requests[resource], limits[resource]];
    const may = `at most ${most} times requests.${resource} is allowed`;
    if (request === 0 || limit === 0)
      found.push({ resource, text: `${resource} has no request or no limit, and ${may}` });
    else if (limit / request > most + 1e-9)
      found.push({
        resource,
        text: `limits.${resource} is ${Number((limit / request).toFixed(2))} times requests.${resource}, ${may}`,
      });
  }
  return found;
}

function amountOf(resource: string): (value: number) => string {
  return (value) => describeAmount(resource, value);
}

/** `The LimitRange sizes: the container model: limits.cpu is 8, at most 4 is allowed`. */
export function describeViolation({ limitRange, what, text }: LimitViolation): string {
  return `the LimitRange ${limitRange}: ${what}: ${text}`;
}
