import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ModelProject } from "./model-project.ts";
import { testImages, until, versionAt } from "./test-cluster.ts";

let project: ModelProject;

interface StatusDocument {
  readonly live: string;
  readonly slots: Readonly<
    Record<"blue" | "green", { readonly ready: boolean; readonly release?: number; readonly image?: string }>
  >;
}

const status = async () => (await project.result(["status"])) as unknown as StatusDocument;

const slots = (blue: object, green: object) => ({
  slots: {
    blue: { image: testImages.blue, replicas: 1, imagePullPolicy: "Never", ...blue },
    green: { image: testImages.green, replicas: 1, imagePullPolicy: "Never", ...green },
  },
});

describe("the life of a model", () => {
  beforeAll(async () => {
    project = await ModelProject.create("life");
    await project.configure(slots({}, {}));
  });

  afterAll(async () => {
    await project.remove();
  });

  test("before `up` there is nothing to show or to switch", async () => {
    for (const args of [["status"], ["switch", "green"]]) {
      const { exitCode, stderr } = await project.command(args);
      expect(exitCode).toBe(1);
      expect(stderr).toContain("is not deployed");
      expect(stderr).toContain("modelswitch up");
    }
  });

  test("`plan` shows what `up` would make, and makes nothing", async () => {
    const plan = await project.result(["plan"]);
    expect(plan.changes).toContainEqual(
      expect.objectContaining({ operation: "create", kind: "Ingress", name: "fraud" }),
    );
    expect((await project.command(["status"])).exitCode).toBe(1);
  });

  test("`up` makes both slots and proves that the live one answers", async () => {
    const result = await project.result(["up"]);
    expect(result).toMatchObject({
      live: "blue",
      proof: { state: "proved" },
      releases: { blue: 1, green: 2 },
    });
    expect(await versionAt(project.host)).toBe("1");
    const found = await status();
    expect(found).toMatchObject({ live: "blue", split: { blue: 100, green: 0 }, pending: null });
    expect(found.slots).toMatchObject({
      blue: { ready: true, release: 1, image: testImages.blue },
      green: { ready: true, release: 2, image: testImages.green },
    });
  });

  test("a second `up` changes nothing", async () => {
    expect(await project.result(["up"])).toMatchObject({ changes: [] });
  });

  test("a change of the live slot is refused, naming slot and difference", async () => {
    await project.configure(slots({ env: { LEVEL: "debug" } }, {}));
    const { exitCode, stderr } = await project.command(["up"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("changes what blue runs");
    expect(stderr).toContain("env.LEVEL: (none) -> [hidden]");
    expect(stderr).toContain("--allow-live-change");
  });

  test("scaling the live slot to 0 is refused", async () => {
    await project.configure(slots({ replicas: 0 }, {}));
    const { exitCode, stderr } = await project.command(["up"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("--allow-live-stop");
    expect(await versionAt(project.host)).toBe("1");
  });

  test("`plan` shows a change of the idle slot property by property, `up` applies it", async () => {
    await project.configure(slots({}, { env: { LEVEL: "debug" } }));
    const plan = await project.command(["plan"]);
    expect(plan.exitCode).toBe(0);
    expect(plan.stdout).toMatch(/~ update Deployment fraud-green[\s\S]*LEVEL/);
    expect(plan.stdout).not.toContain("fraud-blue");
    await project.result(["up"]);
    expect((await status()).slots.green).toMatchObject({ ready: true, release: 3 });
  });

  test("what was deleted by hand is made again", async () => {
    await project.namespace.api.request({
      method: "DELETE",
      path: `/apis/apps/v1/namespaces/${project.namespace.name}/deployments/fraud-green`,
    });
    await until("green is gone", async () => !(await status()).slots.green.ready);
    await project.result(["up"]);
    expect((await status()).slots.green.ready).toBe(true);
    expect(await project.result(["switch", "green"])).toMatchObject({ target: "green" });
    expect(await versionAt(project.host)).toBe("2");
  });

  test("an empty slot is refused with what to do", async () => {
    await project.configure(slots({ replicas: 0 }, { env: { LEVEL: "debug" } }));
    await project.result(["up"]);
    const { exitCode, stderr } = await project.command(["switch", "blue"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("blue has 0 replicas");
  });

  test("`destroy` asks, and leaves nothing behind", async () => {
    const asked = await project.command(["destroy"]);
    expect(asked.exitCode).toBe(2);
    expect(await versionAt(project.host)).toBe("2");
    await project.result(["destroy", "--yes", "--remove-stack"]);
    const { name } = project.namespace;
    for (const path of [
      `/api/v1/namespaces/${name}/services`,
      `/apis/apps/v1/namespaces/${name}/deployments`,
      `/apis/networking.k8s.io/v1/namespaces/${name}/ingresses`,
      `/apis/coordination.k8s.io/v1/namespaces/${name}/leases`,
    ]) {
      const { items } = await project.namespace.api.json<{ items: unknown[] }>({ method: "GET", path });
      expect(items, path).toEqual([]);
    }
    const record = `/api/v1/namespaces/${name}/configmaps/fraud-modelswitch`;
    expect(await project.namespace.api.find(record)).toBeUndefined();
    expect(await project.result(["destroy", "--yes"])).toMatchObject({ changes: [] });
  });
});

describe("the template form", () => {
  beforeAll(async () => {
    project = await ModelProject.create("template");
  });

  afterAll(async () => {
    await project.remove();
  });

  const template = (image: string, idleReplicas: number) => ({
    slots: undefined,
    release: { image, replicas: 2, imagePullPolicy: "Never" },
    idleReplicas,
  });

  test("`up` puts release 1 into blue; green is the same environment, empty", async () => {
    await project.configure(template(testImages.blue, 0));
    expect(await project.result(["up"])).toMatchObject({ live: "blue", releases: { blue: 1, green: null } });
    const { exitCode, stderr } = await project.command(["switch", "green"]);
    expect(exitCode).toBe(2);
    expect(stderr).toContain("green runs no release");
  });

  test("another image in the template is said, not applied", async () => {
    await project.configure(template(testImages.green, 0));
    const { exitCode, stderr } = await project.command(["up"]);
    expect(exitCode).toBe(0);
    expect(stderr).toContain("A release would put it into green");
    expect(await versionAt(project.host)).toBe("1");
  });

  test("two slots that answer alike are not switched between", async () => {
    await project.configure(template(testImages.blue, 1));
    await project.result(["up"]);
    const { exitCode, stderr } = await project.command(["switch", "green"]);
    // Green was enlarged before.
    expect(exitCode).toBe(1);
    expect(stderr).toContain("Blue and green cannot be told apart");
    expect(await versionAt(project.host)).toBe("1");
  });
});

describe("slots whose pods somebody else runs", () => {
  beforeAll(async () => {
    project = await ModelProject.create("own");
    await project.configure({ slots: { blue: {}, green: {} } });
  });

  afterAll(async () => {
    await project.remove();
  });

  test("`up` routes before there are pods, and says that clients see errors", async () => {
    const { exitCode, stderr } = await project.command(["up"]);
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toContain("has no ready pods");
  });

  test("`switch` waits for pods, and goes once they are ready", async () => {
    const { namespace } = project;
    await namespace.deploy("mine-blue", testImages.blue, { app: "fraud", version: "blue" });
    await namespace.untilReady("mine-blue");
    expect(await project.result(["up"])).toMatchObject({ proof: { state: "proved" } });
    const switching = project.result(["switch", "green"]);
    await namespace.deploy("mine-green", testImages.green, { app: "fraud", version: "green" });
    expect(await switching).toMatchObject({ target: "green" });
    expect(await versionAt(project.host)).toBe("2");
  });
});
