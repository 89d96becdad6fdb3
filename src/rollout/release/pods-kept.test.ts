import { beforeEach, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { json, type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import { release } from "../commands/release.ts";
import { up } from "../commands/up.ts";

let bench: TestBench;
const context = () => bench.context(templateConfig({ drain: 0, rollbackWindow: 600 }));
const into = (image: string) => release(context(), { template: { image, replicas: 2 } });
const blue = `/apis/apps/v1/namespaces/${testNamespace}/deployments/fraud-blue`;

const warning = () => bench.events.find((event) => event.type === "warning" && event.code === "pods-kept");

/** The API server says that blue's Deployment would have this template. */
function wouldHave(template: object): void {
  const others = bench.cluster.intercept;
  bench.cluster.intercept = (request) =>
    request.path === blue && request.query?.dryRun === "All"
      ? json(200, { spec: { template } })
      : others?.(request);
}

/** Release 2 is live in green, and the pods of release 1 are warm in blue. */
beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
  await into("fraud:2");
  bench.events.length = 0;
});

const present = () => ((bench.cluster.get(blue)?.spec ?? {}) as { template?: object }).template ?? {};

test("a release of what the idle slot runs gets no new pods: that is said, and how to get some", async () => {
  wouldHave(present());
  await into("fraud:1");
  expect(warning()).toMatchObject({
    message:
      "Release 3 is what release 1 was, and blue still runs that: its 2 pods stay as they are, with whatever became of them since; none is new.",
    hint: expect.stringContaining("kubectl -n ml rollout restart deployment/fraud-blue"),
  });
});

test("versions of Secrets, which are not among what the API server is asked, are no difference to it", async () => {
  wouldHave({ ...present(), metadata: { annotations: { "modelswitch.dev/versions": "another" } } });
  await into("fraud:1");
  expect(warning()).toBeDefined();
});

test("where the API server knows that the pods change, it is not said: somebody has changed them by hand", async () => {
  wouldHave({ spec: { containers: [{ image: "fraud:hotfix" }] } });
  await into("fraud:1");
  expect(warning()).toBeUndefined();
});

test("where it cannot be asked, what the releases say decides", async () => {
  const others = bench.cluster.intercept;
  bench.cluster.intercept = (request) =>
    request.query?.dryRun === "All"
      ? json(405, { kind: "Status", reason: "MethodNotAllowed", message: "no" })
      : others?.(request);
  await into("fraud:1");
  expect(warning()).toBeDefined();
});

test("another release has pods of its own", async () => {
  await into("fraud:3");
  expect(warning()).toBeUndefined();
});

test("so has one whose slot is empty", async () => {
  wouldHave(present());
  bench.cluster.put(blue, { ...bench.cluster.get(blue), spec: { replicas: 0, template: present() } });
  await into("fraud:1");
  expect(warning()).toBeUndefined();
});
