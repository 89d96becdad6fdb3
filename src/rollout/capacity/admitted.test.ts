import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import {
  json,
  refusal,
  type TestBench,
  testBench,
  testNamespace,
} from "../../../test/support/rollout-bench.ts";
import type { ReleaseTemplate, RolloutConfig } from "../../config/model/types.ts";
import type { ApiRequest, ApiResponse } from "../../kubernetes/api.ts";
import { release } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { up } from "../commands/up.ts";

const template = (image: string): ReleaseTemplate => ({
  image,
  replicas: 2,
  resources: { requests: { cpu: "1" }, limits: { cpu: "2" } },
});
let bench: TestBench;
const context = (rollout?: RolloutConfig) =>
  bench.context(templateConfig({ drain: 0, soak: 0, settle: 0, ...rollout }, template("fraud:1")));
const inNamespace = `/api/v1/namespaces/${testNamespace}`;

/** The namespace has these rules. */
const put = (plural: string, ...items: object[]) =>
  bench.cluster.put(`${inNamespace}/${plural}`, { items: items as never });
const quota = (hard: object, used: object) => ({
  metadata: { name: "team" },
  spec: { hard },
  status: { hard, used },
});
const limits = (rule: object) => ({ metadata: { name: "sizes" }, spec: { limits: [rule] } });

/** How the API server answers requests that are only tried; `pods` where this account may make some. */
function tries(answers: { deployment?: ApiResponse; pod?: ApiResponse }): void {
  const others = bench.cluster.intercept;
  bench.cluster.intercept = (request) => {
    if (request.path.endsWith("selfsubjectaccessreviews"))
      return json(201, { status: { allowed: isAllowed(request, answers.pod !== undefined) } });
    if (request.query?.dryRun !== "All") return others?.(request);
    const answer = request.path.includes("/deployments/")
      ? answers.deployment
      : podAnswer(request, answers.pod);
    return answer ?? json(200, {});
  };
}

function podAnswer({ path }: ApiRequest, answer: ApiResponse | undefined): ApiResponse | undefined {
  return path.endsWith("/pods") ? answer : undefined;
}

function isAllowed({ body }: ApiRequest, mayMakePods: boolean): boolean {
  const { resourceAttributes } = (
    body as { spec: { resourceAttributes: { verb: string; resource: string } } }
  ).spec;
  return resourceAttributes.resource !== "pods" || resourceAttributes.verb !== "create" || mayMakePods;
}

const codes = () => bench.events.flatMap((event) => (event.type === "warning" ? [event.code] : []));
const evidence = (id: string) =>
  bench.events.flatMap((event) =>
    event.type === "step" && event.id === id && event.state === "done" ? [event.detail] : [],
  );
const written = () =>
  bench.cluster.requests.filter(
    ({ method, path, query }) =>
      method !== "GET" && !path.includes("selfsubject") && query?.dryRun === undefined,
  );

beforeEach(() => {
  bench = testBench();
});

describe("the first `up`", () => {
  test("is refused where a quota has no room, before anything is written", async () => {
    put("resourcequotas", quota({ "requests.cpu": "3" }, { "requests.cpu": "2" }));
    await expect(up(context(), noFlags)).rejects.toMatchObject({
      code: "quota-short",
      exitCode: 1,
      message: expect.stringContaining(
        "the ResourceQuota team leaves 1 of 3 requests.cpu, and 2 more are asked for",
      ),
    });
    expect(written()).toEqual([]);
  });

  test("is refused where the namespace never lets such pods in", async () => {
    put("limitranges", limits({ type: "Container", max: { cpu: "1" } }));
    await expect(up(context(), noFlags)).rejects.toMatchObject({
      code: "limit-range",
      exitCode: 2,
      message: expect.stringContaining("limits.cpu is 2, at most 1 is allowed"),
    });
    expect(written()).toEqual([]);
  });

  test("counts the defaults of the namespace", async () => {
    put("limitranges", limits({ type: "Container", defaultRequest: { memory: "1Gi" } }));
    put("resourcequotas", quota({ "requests.memory": "1Gi" }, {}));
    await expect(up(context(), noFlags)).rejects.toMatchObject({ code: "quota-short" });
  });

  test("both slots need their room at the same time", async () => {
    put("resourcequotas", quota({ pods: "3" }, {}));
    await expect(up(bench.context(), noFlags)).rejects.toMatchObject({
      code: "quota-short",
      message: expect.stringContaining("leaves 3 of 3 pods, and 4 more are asked for"),
    });
  });

  test("is refused where nodes have no room", async () => {
    bench.cluster.put("/api/v1/nodes/node-1", { status: { allocatable: { cpu: "1", pods: "110" } } });
    await expect(up(context(), noFlags)).rejects.toMatchObject({ code: "capacity-short" });
    expect(written()).toEqual([]);
  });

  test("is refused by a policy for Deployments, in its own words", async () => {
    tries({
      deployment: refusal(422, "Invalid", "ValidatingAdmissionPolicy 'owners' denied request: no team"),
    });
    await expect(up(context(), noFlags)).rejects.toMatchObject({
      code: "admission-refused",
      exitCode: 2,
      message: expect.stringContaining(
        "the Deployment fraud-blue: ValidatingAdmissionPolicy 'owners' denied",
      ),
    });
    expect(written()).toEqual([]);
  });

  test("is refused by a policy for Ingresses", async () => {
    const message =
      'admission webhook "validate.nginx.ingress.kubernetes.io" denied the request: host "fraud.test"';
    const others = bench.cluster.intercept;
    bench.cluster.intercept = (request) =>
      request.method === "PATCH" && request.path.endsWith("/ingresses/fraud")
        ? refusal(400, "BadRequest", message)
        : others?.(request);
    await expect(up(context(), noFlags)).rejects.toMatchObject({
      code: "admission-refused",
      message: expect.stringContaining("the Ingress fraud: admission webhook"),
      hint: expect.stringContaining("`ingress`"),
    });
    expect(written()).toEqual([]);
  });

  test("goes on all the same where that is asked for", async () => {
    put("resourcequotas", quota({ "requests.cpu": "3" }, { "requests.cpu": "2" }));
    tries({ deployment: refusal(403, "Forbidden", "denied") });
    await up(context({ capacity: "warn" }), noFlags);
    expect(codes()).toEqual(["quota-short", "admission-refused"]);
  });

  test("does not look again at pods that are there", async () => {
    await up(context(), noFlags);
    put("resourcequotas", quota({ pods: "0" }, {}));
    await up(context(), noFlags);
  });
});

describe("pod security", () => {
  const warning = '299 - "would violate PodSecurity \\"restricted:latest\\": runAsNonRoot != true"';
  const enforced = (level: string) =>
    bench.cluster.put(inNamespace, {
      metadata: { labels: { "pod-security.kubernetes.io/enforce": level } },
    });
  const warned = { status: 200, headers: { warning }, body: "{}" };

  test("that the namespace enforces refuses, by the warning for the Deployment", async () => {
    enforced("restricted");
    tries({ deployment: warned });
    await expect(up(context(), noFlags)).rejects.toMatchObject({
      code: "admission-refused",
      message: expect.stringContaining("its pods: would violate PodSecurity"),
    });
  });

  test("that it does not enforce warns", async () => {
    enforced("privileged");
    tries({ deployment: warned });
    await up(context(), noFlags);
    expect(codes()).toEqual(["admission-warning"]);
  });
});

describe("what cannot be asked is said, and refuses nothing", () => {
  test("a webhook without dry runs, and pods that this account may not make", async () => {
    const message = 'admission webhook "inject.mesh.io" does not support dry run';
    tries({ deployment: refusal(400, "BadRequest", message) });
    await up(context(), noFlags);
    expect(evidence("admission")).toEqual([
      "nothing is known against it. Not looked at: what the admission webhook inject.mesh.io says of the Deployment fraud-blue (it does not support dry runs); what only refuses pods themselves (this account may not make pods, so none was tried)",
    ]);
  });

  test("quotas that may not be listed", async () => {
    const others = bench.cluster.intercept;
    bench.cluster.intercept = (request) =>
      request.path.endsWith("/resourcequotas") ? refusal(403, "Forbidden") : others?.(request);
    await up(context(), noFlags);
    expect(codes()).toEqual([]);
    expect(evidence("capacity")).toEqual([
      "2 more replicas (2 cpu): they fit, as far as can be seen without ResourceQuotas",
    ]);
    expect(await release(context(), { template: template("fraud:2") })).toMatchObject({ kind: "live" });
    expect(codes()).toEqual(["capacity-unknown"]);
  });

  test("a Deployment that this account may not write", async () => {
    const message =
      'deployments.apps "fraud-blue" is forbidden: User "eve" cannot patch resource "deployments"';
    tries({ deployment: refusal(403, "Forbidden", message) });
    await up(context(), noFlags);
    expect(evidence("admission")[0]).toContain("this account may not write it");
  });
});

describe("single pods", () => {
  test("are tried where this account may make some", async () => {
    const pod = refusal(403, "Forbidden", 'pods "x" is forbidden: violates PodSecurity "restricted:latest"');
    tries({ pod });
    await expect(up(context(), noFlags)).rejects.toMatchObject({
      code: "admission-refused",
      message: expect.stringContaining('its pods: pods "x" is forbidden: violates PodSecurity'),
    });
    const tried = bench.cluster.requests.find(
      ({ method, path }) => method === "POST" && path.endsWith("/pods"),
    );
    expect(tried).toMatchObject({
      query: { dryRun: "All" },
      body: { metadata: { labels: { app: "fraud" }, ownerReferences: [{ kind: "ReplicaSet" }] } },
    });
  });

  test("that are let in say more than a warning", async () => {
    bench.cluster.put(inNamespace, {
      metadata: { labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
    });
    const warning = '299 - "would violate PodSecurity \\"restricted:latest\\": runAsNonRoot != true"';
    tries({ deployment: { status: 200, headers: { warning }, body: "{}" }, pod: json(201, {}) });
    await up(context(), noFlags);
    expect(codes()).toEqual(["admission-warning"]);
  });
});

describe("a release", () => {
  beforeEach(async () => {
    await up(context(), noFlags);
    bench.events.length = 0;
    bench.cluster.requests.length = 0;
  });

  test("beside what runs is refused by a quota", async () => {
    put("resourcequotas", quota({ pods: "3" }, { pods: "2" }));
    await expect(release(context(), { template: template("fraud:2") })).rejects.toMatchObject({
      code: "quota-short",
    });
    expect(written()).toEqual([]);
    expect(await release(context({ capacity: "warn" }), { template: template("fraud:2") })).toMatchObject({
      kind: "live",
    });
  });

  test("counts pods that are about to end as gone", async () => {
    put("resourcequotas", quota({ pods: "4" }, { pods: "4" }));
    for (const name of ["old-1", "old-2"])
      bench.cluster.put(`${inNamespace}/pods/${name}`, {
        metadata: { name, deletionTimestamp: "2026-11-23T08:00:00Z" },
      });
    expect(await release(context(), { template: template("fraud:2") })).toMatchObject({ kind: "live" });
  });

  test("that empties the live slot first has its room", async () => {
    put("resourcequotas", quota({ pods: "3" }, { pods: "2" }));
    const options = { template: template("fraud:2"), agree: () => Promise.resolve() };
    expect(await release(context({ mode: "recreate" }), options)).toMatchObject({ kind: "finished" });
  });

  test("is refused by admission; a way back is not", async () => {
    expect(await release(context(), { template: template("fraud:2") })).toMatchObject({ kind: "live" });
    expect(await release(context(), { template: template("fraud:3") })).toMatchObject({ kind: "live" });
    tries({ deployment: refusal(403, "Forbidden", "denied by policy") });
    await expect(release(context(), { template: template("fraud:4") })).rejects.toMatchObject({
      code: "admission-refused",
    });
    expect(await rollback(context(), { to: 1 })).toMatchObject({ state: { outcome: "released" } });
    expect(codes()).toContain("admission-refused");
  });
});
