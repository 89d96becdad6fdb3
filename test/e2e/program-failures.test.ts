import * as kubernetes from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { failureOf, operations, ProgramStack } from "./program-stack.ts";
import { TestNamespace, testImages, until } from "./test-cluster.ts";

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

interface Pods {
  readonly items: readonly {
    readonly status: {
      readonly containerStatuses?: readonly { restartCount: number; state: { waiting?: object } }[];
    };
  }[];
}

/** Until the only container of a Deployment's pod has crashed twice and is held back: then it stays so for a while. */
async function untilCrashed(name: string): Promise<void> {
  await until(`${name} has crashed`, async () => {
    const pods = await namespace.api.json<Pods>({
      method: "GET",
      path: `/api/v1/namespaces/${namespace.name}/pods`,
      query: { labelSelector: `app=${name}` },
    });
    const [status] = pods.items.flatMap((pod) => pod.status.containerStatuses ?? []);
    return (status?.restartCount ?? 0) >= 1 && status?.state.waiting !== undefined;
  });
}

/** Until something was told about a Deployment's pods. */
async function untilWarned(name: string, reason: string): Promise<void> {
  await until(`${name} has the event ${reason}`, async () => {
    const events = await namespace.api.json<{
      items: { reason: string; involvedObject: { name: string } }[];
    }>({
      method: "GET",
      path: `/api/v1/namespaces/${namespace.name}/events`,
    });
    return events.items.some(
      (event) => event.reason === reason && event.involvedObject.name.startsWith(`${name}-`),
    );
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

test("pods that do not get ready: why, what is kept, and how the next run goes on", async () => {
  const stack = new ProgramStack(namespace, "unready");
  const short = { "pulumi.com/timeoutSeconds": "3" };
  const unwatched = { "pulumi.com/skipAwait": "true" };
  // The server ends at once and says in its log why.
  const crash = { ...probe("/v2/health/ready"), env: [{ name: "READY_DELAY_MS", value: "model.bin" }] };
  const declare = (annotations: Record<string, string>, crashing: Record<string, unknown>) => {
    deployment("crashing", crashing, annotations);
    deployment("unready", probe("/nowhere"), annotations);
    deployment("ignored", probe("/nowhere"), unwatched);
  };
  await stack.with(() => declare(unwatched, crash));
  await stack.up();
  await Promise.all([untilCrashed("crashing"), untilWarned("unready", "Unhealthy")]);

  await stack.with(() => declare(short, crash));
  const message = await failureOf(stack.up());
  // The container's last state, its log, the latest events.
  expect(message).toMatch(/Deployment crashing: /);
  expect(message).toMatch(/container model: .*ended with exit code 1/);
  expect(message).toContain('READY_DELAY_MS must be a number: strconv.Atoi: parsing "model.bin"');
  expect(message).toMatch(/Deployment unready: .*Not ready within 3 s/s);
  expect(message).toMatch(/event of unready-\S+: Unhealthy: Readiness probe failed.*404/);
  expect(message).not.toContain("ignored");
  const kept = await stack.resource("crashing");
  expect(kept?.id).toBe(`${namespace.name}/crashing`);
  expect(kept?.initErrors?.join()).toContain("exit code 1");
  expect((await stack.resource("ignored"))?.initErrors).toBeUndefined();

  const patient = { "pulumi.com/timeoutSeconds": "240" };
  await stack.with(() => {
    deployment("crashing", probe("/v2/health/ready"), patient);
    deployment("unready", probe("/nowhere"), short);
    deployment("ignored", probe("/nowhere"), unwatched);
  });
  // The one that is still not ready is waited for again, although nothing of it has changed.
  expect(await failureOf(stack.up())).toMatch(/Deployment unready: .*Not ready within 3 s/s);
  expect((await stack.resource("crashing"))?.initErrors).toBeUndefined();
  expect((await stack.resource("unready"))?.initErrors?.length).toBeGreaterThan(0);
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
  expect(kept?.initErrors?.join()).toContain("The wait was interrupted");
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
  const short = { "pulumi.com/timeoutSeconds": "3" };
  await stack.with(() => declare(first, { "pulumi.com/skipAwait": "true" }));
  await stack.up();
  await untilCrashed("telltale");
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
