import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failureOf, operations, ProgramStack } from "./program-stack.ts";
import { inTime, isSoak } from "./soak.ts";
import { TestNamespace, testImages } from "./test-cluster.ts";

let namespace: TestNamespace;

beforeAll(async () => {
  namespace = await TestNamespace.create("failures");
});

afterAll(async () => {
  await namespace.remove();
});

/** A Deployment of the test's model server, and what is different about it. */
function deployment(
  name: string,
  container: Record<string, unknown>,
  annotations: Record<string, string> = {},
): kubernetes.apps.v1.Deployment {
  const labels = { app: name };
  return new kubernetes.apps.v1.Deployment(name, {
    metadata: { name, namespace: namespace.name, annotations },
    spec: {
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: "model", image: testImages.blue, imagePullPolicy: "Never", ...container }],
        },
      },
    },
  });
}

const path = (plural: string, name: string) => `/api/v1/namespaces/${namespace.name}/${plural}/${name}`;

const probe = (where: string) => ({
  readinessProbe: { httpGet: { path: where, port: 8080 }, periodSeconds: 1 },
});

describe("a field that another owner has set", () => {
  const declare = (team: string, annotations: Record<string, string> = {}) => {
    new kubernetes.core.v1.ServiceAccount("account", {
      metadata: { name: "account", namespace: namespace.name, labels: { team }, annotations },
    });
  };

  test("is named with its owner, in the preview already; patchForce takes it over", async () => {
    const stack = new ProgramStack(namespace, "conflict");
    await stack.with(() => declare("one"));
    await stack.up();
    const labels = { team: "theirs" };
    await namespace.api.json({
      method: "PATCH",
      path: path("serviceaccounts", "account"),
      query: { fieldManager: "operator", force: true },
      body: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "account", labels } },
    });
    await stack.with(() => declare("two"));
    for (const attempt of [() => stack.preview(), () => stack.up()]) {
      const message = await failureOf(attempt());
      expect(message).toContain('metadata.labels.team belongs to "operator"');
      expect(message).toContain("pulumi.com/patchForce");
    }
    expect(await namespace.api.find(path("serviceaccounts", "account"))).toMatchObject({
      metadata: { labels },
    });
    await stack.with(() => declare("two", { "pulumi.com/patchForce": "true" }));
    expect(operations(await stack.up())).toEqual(["update ServiceAccount"]);
    expect(await namespace.api.find(path("serviceaccounts", "account"))).toMatchObject({
      metadata: { labels: { team: "two" } },
    });
    await stack.destroy();
  });
});

test("a Deployment that can't become ready ends the run, and says why; the next run goes on", async () => {
  const stack = new ProgramStack(namespace, "unready");
  // The server ends at once and says in its log why.
  const crash = { ...probe("/v2/health/ready"), env: [{ name: "READY_DELAY_MS", value: "model.bin" }] };
  const declare = (crashing: Record<string, unknown>) => {
    deployment("crashing", crashing);
    deployment("ignored", probe("/nowhere"), { "pulumi.com/skipAwait": "true" });
  };
  await stack.with(() => declare(crash));
  const message = await failureOf(stack.up());
  // The container's last state, its log, the latest events.
  expect(message).toMatch(
    /The update of stack unready was stopped: Deployment crashing can't become ready: /,
  );
  expect(message).toMatch(/Container model keeps ending: exit code 1/);
  expect(message).toContain('READY_DELAY_MS must be a number: strconv.Atoi: parsing "model.bin"');
  expect(message).not.toContain("ignored");
  const kept = await stack.resource("crashing");
  expect(kept?.id).toBe(`${namespace.name}/crashing`);
  expect(kept?.initErrors?.length).toBeGreaterThan(0);
  expect((await stack.resource("ignored"))?.initErrors).toBeUndefined();

  await stack.with(() => declare(probe("/v2/health/ready")));
  expect(operations(await stack.up())).toEqual(["update Deployment"]);
  expect((await stack.resource("crashing"))?.initErrors).toBeUndefined();
  await stack.destroy();
});

const podSpec = (container: Record<string, unknown>) => ({
  terminationGracePeriodSeconds: 1,
  containers: [{ name: "model", image: testImages.blue, imagePullPolicy: "Never", ...container }],
});

test.each(inTime(1, ["StatefulSet", "DaemonSet", "Job"] as const))(
  "a %s whose image is nowhere ends the run, and says so",
  async (kind) => {
    const name = `nowhere-${kind.toLowerCase()}`;
    const stack = new ProgramStack(namespace, name);
    const metadata = { name, namespace: namespace.name };
    const labels = { app: name };
    const template = {
      metadata: { labels },
      spec: podSpec({ image: "localhost/nowhere:1" }),
    };
    await stack.with(() => {
      const selector = { matchLabels: labels };
      switch (kind) {
        case "StatefulSet":
          new kubernetes.apps.v1.StatefulSet(name, {
            metadata,
            spec: { serviceName: name, selector, template },
          });
          return;
        case "DaemonSet":
          new kubernetes.apps.v1.DaemonSet(name, { metadata, spec: { selector, template } });
          return;
        case "Job":
          new kubernetes.batch.v1.Job(name, {
            metadata,
            spec: { template: { ...template, spec: { ...template.spec, restartPolicy: "Never" } } },
          });
      }
    });
    const startedAt = Date.now();
    const message = await failureOf(stack.up());
    const cannot = kind === "Job" ? "can't come to its end" : "can't become ready";
    expect(message).toContain(`was stopped: ${kind} ${name} ${cannot}: 0 of 1 `);
    expect(message).toMatch(/The image localhost\/nowhere:1 is not on the node/);
    // The provider itself waits for ten minutes.
    expect(Date.now() - startedAt).toBeLessThan(300_000);
    expect((await stack.resource(name))?.id).toBe(`${namespace.name}/${name}`);
    await stack.destroy();
  },
);

test("a Job that fails says what its pod said", async () => {
  const stack = new ProgramStack(namespace, "failing-job");
  const env = [{ name: "READY_DELAY_MS", value: "model.bin" }];
  await stack.with(() => {
    new kubernetes.batch.v1.Job("failing", {
      metadata: { name: "failing", namespace: namespace.name },
      spec: { backoffLimit: 0, template: { spec: { ...podSpec({ env }), restartPolicy: "Never" } } },
    });
  });
  const message = await failureOf(stack.up());
  expect(message).toMatch(/Job failing: it failed: BackoffLimitExceeded/);
  expect(message).toMatch(/Container model ended: exit code 1/);
  expect(message).toContain('READY_DELAY_MS must be a number: strconv.Atoi: parsing "model.bin"');
  await stack.destroy();
});

test.runIf(isSoak)(
  "an Ingress that nobody serves and a Service that nobody gives an address say what they wait for, once, and again when their time is over",
  async () => {
    const stack = new ProgramStack(namespace, "unserved");
    const metadata = (name: string) => ({
      name,
      namespace: namespace.name,
      annotations: { "pulumi.com/timeoutSeconds": "40" },
    });
    await stack.with(() => {
      new kubernetes.core.v1.Service("alone", {
        metadata: metadata("alone"),
        spec: { type: "LoadBalancer", selector: { app: "nobody" }, ports: [{ port: 80 }] },
      });
      new kubernetes.networking.v1.Ingress("unserved", {
        metadata: metadata("unserved"),
        spec: {
          ingressClassName: "ngnix",
          defaultBackend: { service: { name: "alone", port: { number: 80 } } },
        },
      });
    });
    const message = await failureOf(stack.up());
    const reasons = [
      "no pod has the labels that it selects (app=nobody); it has no address yet",
      "it has no address yet: The cluster has no IngressClass ngnix, so nobody would serve the Ingress.",
    ];
    for (const reason of reasons) {
      expect(message).toContain(`it did not become ready in time: ${reason}`);
      const told = stack.events.filter(
        (event) =>
          event.type === "warning" && event.code === "still-waiting" && event.message.includes(reason),
      );
      expect(told.length, reason).toBe(1);
    }
    await stack.destroy();
  },
);

test("pods that only take their time have it, and then say what they lack", async () => {
  const stack = new ProgramStack(namespace, "slow");
  await stack.with(() => deployment("unready", probe("/nowhere"), { "pulumi.com/timeoutSeconds": "10" }));
  const message = await failureOf(stack.up());
  expect(message).toMatch(/Deployment unready: it did not become ready in time: 0 of 1 replicas ready/);
  expect(message).toMatch(/Readiness probe failed.*404/);
  await stack.destroy();
});

test("a wait that is cancelled keeps what it has made, and the next run goes on", async () => {
  const stop = new AbortController();
  const stack = new ProgramStack(namespace, "cancelled");
  await stack.with(() => deployment("slow", probe("/nowhere")), { signal: stop.signal });
  const up = failureOf(stack.up());
  const waiting = setInterval(() => {
    const seen = stack.events.some(
      (event) => event.type === "resource" && /0 of 1 replicas ready/.test(event.message ?? ""),
    );
    if (seen) stop.abort();
  }, 50);
  await up.finally(() => clearInterval(waiting));
  const kept = await stack.resource("slow");
  expect(kept?.id).toBe(`${namespace.name}/slow`);
  expect(kept?.initErrors?.join()).toContain("cancelled");
  await stack.with(() => deployment("slow", probe("/v2/health/ready")));
  expect(operations(await stack.up())).toEqual(["update Deployment"]);
  expect((await stack.resource("slow"))?.initErrors).toBeUndefined();
  await stack.destroy();
});

test("what is secret is nowhere in clear: state, changes, events, messages", async () => {
  const [first, second] = ["hunter2-of-the-first", "hunter2-of-the-second"] as const;
  const stack = new ProgramStack(namespace, "secrets");
  const declare = (secret: string, annotations: Record<string, string>) => {
    const metadata = { namespace: namespace.name };
    const value = pulumi.secret(secret);
    new kubernetes.core.v1.Secret("sec", { metadata: { ...metadata, name: "sec" }, stringData: { value } });
    new kubernetes.core.v1.ConfigMap("conf", { metadata: { ...metadata, name: "conf" }, data: { value } });
    // The server quotes it in its log.
    const env = [{ name: "READY_DELAY_MS", value }];
    deployment("telltale", { ...probe("/v2/health/ready"), env }, annotations);
  };
  const told: string[] = [];
  const short = { "pulumi.com/timeoutSeconds": "60" };
  await stack.with(() => declare(first, short));
  told.push(await failureOf(stack.up()));
  expect(told[0]).toContain('strconv.Atoi: parsing "[secret]"');
  await stack.with(() => declare(second, short));
  told.push(JSON.stringify(await stack.preview()));
  told.push(await failureOf(stack.up()));

  await stack.refresh();
  told.push(await stack.stateText());
  await stack.destroy();
  told.push(JSON.stringify(stack.events));
  for (const secret of [first, second]) {
    for (const form of [secret, Buffer.from(secret).toString("base64")]) {
      for (const [index, text] of told.entries()) {
        const at = text.indexOf(form);
        expect(at < 0 ? "" : text.slice(Math.max(0, at - 200), at), `text ${index}`).toBe("");
      }
    }
  }
});
