import { describe, expect, test } from "vitest";
import { describeViolation, limitViolations, withLimitDefaults } from "./limit-range.ts";
import type { LimitRangeShape, Quantities } from "./objects.ts";

type Rule = NonNullable<NonNullable<LimitRangeShape["spec"]>["limits"]>[number];

const range = (rule: Rule): LimitRangeShape => ({ metadata: { name: "sizes" }, spec: { limits: [rule] } });
const pod = (requests?: Quantities, limits?: Quantities) => ({
  containers: [
    {
      name: "model",
      resources: { ...(requests && { requests }), ...(limits && { limits }) },
    },
  ],
});
const said = (rule: Rule, spec = pod()) => limitViolations(spec, [range(rule)]).map(describeViolation);

describe("the defaults of a namespace", () => {
  test("fill in what a container leaves open, and nothing else", () => {
    const rule = { type: "Container", default: { cpu: "2", memory: "1Gi" }, defaultRequest: { cpu: "1" } };
    expect(withLimitDefaults(pod({ cpu: "500m" }), [range(rule)]).containers).toEqual([
      { name: "model", resources: { limits: { cpu: "2", memory: "1Gi" }, requests: { cpu: "500m" } } },
    ]);
  });

  test("come after what Kubernetes fills in itself: a limit alone is the request", () => {
    const rule = { type: "Container", defaultRequest: { cpu: "1" } };
    const [model] = withLimitDefaults(pod(undefined, { cpu: "4" }), [range(rule)]).containers ?? [];
    expect(model?.resources?.requests).toEqual({ cpu: "4" });
  });

  test("those of the first LimitRange win; init containers have them, too", () => {
    const first = range({ type: "Container", default: { cpu: "1" } });
    const second = range({ type: "Container", default: { cpu: "2" } });
    const filled = withLimitDefaults({ ...pod(), initContainers: [{ name: "fetch" }] }, [first, second]);
    expect(filled.initContainers?.[0]?.resources?.limits).toEqual({ cpu: "1" });
  });
});

describe("the rules of a namespace", () => {
  test.each<[string, Rule, ReturnType<typeof pod>, string[]]>([
    [
      "a limit above the largest",
      { type: "Container", max: { cpu: "2" } },
      pod({ cpu: "1" }, { cpu: "4" }),
      ["the LimitRange sizes: the container model: limits.cpu is 4, at most 2 is allowed"],
    ],
    [
      "no limit where there is a largest",
      { type: "Container", max: { memory: "2Gi" } },
      pod({ memory: "3Gi" }),
      [
        "the LimitRange sizes: the container model: limits.memory is not set, at most 2Gi is allowed",
        "the LimitRange sizes: the container model: requests.memory is 3Gi, at most 2Gi is allowed",
      ],
    ],
    [
      "a request below the least",
      { type: "Container", min: { memory: "1Gi" } },
      pod({ memory: "512Mi" }),
      ["the LimitRange sizes: the container model: requests.memory is 512Mi, at least 1Gi is asked for"],
    ],
    [
      "too wide between request and limit",
      { type: "Container", maxLimitRequestRatio: { cpu: "2" } },
      pod({ cpu: "1" }, { cpu: "4" }),
      [
        "the LimitRange sizes: the container model: limits.cpu is 4 times requests.cpu, at most 2 times requests.cpu is allowed",
      ],
    ],
    [
      "within them",
      { type: "Container", max: { cpu: "2" }, min: { cpu: "1" } },
      pod(undefined, { cpu: "2" }),
      [],
    ],
    [
      "the namespace's own default",
      { type: "Container", max: { cpu: "2" }, default: { cpu: "1" } },
      pod(),
      [],
    ],
    [
      "a default limit below the request",
      { type: "Container", default: { memory: "512Mi" }, defaultRequest: { memory: "256Mi" } },
      pod({ memory: "1Gi" }),
      [
        "the LimitRange sizes: the container model: requests.memory is 1Gi, and without a limit of its own it gets 512Mi",
      ],
    ],
    [
      "a limit of its own above the default",
      { type: "Container", default: { memory: "512Mi" } },
      pod({ memory: "1Gi" }, { memory: "2Gi" }),
      [],
    ],
    ["claims for volumes", { type: "PersistentVolumeClaim", max: { storage: "1Gi" } }, pod(), []],
  ])("%s", (_, rule, spec, expected) => {
    expect(said(rule, spec)).toEqual(expected);
  });

  test("of a pod go for its containers together", () => {
    const spec = {
      containers: [pod({ cpu: "1" }, { cpu: "1" }), pod({ cpu: "1" }, { cpu: "1" })].flatMap(
        ({ containers }) => containers,
      ),
    };
    expect(said({ type: "Pod", max: { cpu: "1" } }, spec)).toEqual([
      "the LimitRange sizes: a pod: limits.cpu is 2, at most 1 is allowed",
      "the LimitRange sizes: a pod: requests.cpu is 2, at most 1 is allowed",
    ]);
  });
});
