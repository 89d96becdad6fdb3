import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RolloutConfig } from "../../src/config/model/types.ts";
import { failuresOf, ModelProject } from "./model-project.ts";
import { isSoak } from "./soak.ts";
import { testImages, versionAt } from "./test-cluster.ts";

let project: ModelProject;

const configure = (rollout: RolloutConfig) =>
  project.configure({
    slots: undefined,
    release: { image: testImages.blue, replicas: 3, imagePullPolicy: "Never" },
    rollout: { settle: 1, soak: 1, drain: 3, rollbackWindow: 0, ...rollout },
  });

const release = (...more: string[]) => ["release", "--set", `image=${testImages.green}`, ...more];

interface Status {
  readonly split: { readonly blue: number; readonly green: number };
  readonly slots: Readonly<Record<"blue" | "green", { readonly replicas: { readonly desired: number } }>>;
  readonly rollout: { readonly waitsFor: string } | null;
}

async function status(): Promise<Status> {
  return (await project.result(["status"])) as unknown as Status;
}

/** Says that the cluster's node has so many of a resource: https://kubernetes.io/docs/tasks/administer-cluster/extended-resource-node/ */
async function advertise(resource: string, count: number | undefined): Promise<void> {
  const { api } = project.namespace;
  const { items } = await api.json<{ items: { metadata: { name: string } }[] }>({
    method: "GET",
    path: "/api/v1/nodes",
  });
  const amount = { [resource]: count === undefined ? null : `${count}` };
  await api.json({
    method: "PATCH",
    path: `/api/v1/nodes/${items[0]?.metadata.name}/status`,
    contentType: "application/merge-patch+json",
    query: { fieldManager: "somebody" },
    body: { status: { capacity: amount, allocatable: amount } },
  });
}

/** What the scheduled pods of the model have of a resource. */
async function gpusInUse(resource: string): Promise<(string | undefined)[]> {
  const { api, name } = project.namespace;
  const { items } = await api.json<{ items: ScheduledPod[] }>({
    method: "GET",
    path: `/api/v1/namespaces/${name}/pods`,
    query: { labelSelector: "app=fraud" },
  });
  return items
    .filter(({ metadata, spec }) => metadata.deletionTimestamp === undefined && spec.nodeName !== undefined)
    .map(({ spec }) => spec.containers[0]?.resources?.limits?.[resource]);
}

interface ScheduledPod {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly spec: {
    readonly nodeName?: string;
    readonly containers: readonly { readonly resources?: { readonly limits?: Record<string, string> } }[];
  };
}

beforeEach(async () => {
  project = await ModelProject.create("modes");
  await configure({});
  await project.result(["up"]);
});

afterEach(async () => {
  await project.remove();
});

describe("releases that cost less, and wait for people, on a real cluster", () => {
  test("partial: held before the cut-over with a part of the replicas, approved, no request fails", async () => {
    const rollout: RolloutConfig = {
      mode: { partial: 20 },
      steps: "50%:1s",
      approval: ["cut-over"],
      freezes: [{ from: "2020-01-01", to: "2020-01-02", reason: "long ago" }],
    };
    await configure(rollout);
    const stop = new AbortController();
    const load = project.startLoad(40, stop.signal);
    try {
      const held = await project.command([...release(), "--json"]);
      expect(held.exitCode, held.stdout).toBe(5);
      expect(await status()).toMatchObject({
        split: { blue: 50, green: 50 },
        slots: { green: { replicas: { desired: 2 } } },
        rollout: { waitsFor: "somebody has to approve the phase cut-over" },
      });
      expect(await project.result(["approve"])).toMatchObject({ outcome: "released" });
      expect(await status()).toMatchObject({
        split: { blue: 0, green: 100 },
        slots: { blue: { replicas: { desired: 0 } }, green: { replicas: { desired: 3 } } },
      });
      const report = await load.stop();
      expect(report.failed, failuresOf(report)).toBe(0);
      expect(await project.result(["report"])).toMatchObject({
        outcome: "released",
        release: { image: testImages.green },
        replaced: { image: testImages.blue },
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        journal: expect.arrayContaining([
          expect.objectContaining({ kind: "request", text: expect.stringContaining("approve") }),
        ]),
      });
    } finally {
      stop.abort();
    }
  });

  test("a freeze holds the traffic, not the preparation; it can be overridden, and a rollback needs nothing", async () => {
    await configure({
      freezes: [{ from: "2020-01-01", to: "2999-01-01", reason: "the sales" }],
      rollbackWindow: 600,
    });
    const held = await project.command([...release(), "--json"]);
    expect(held.exitCode, held.stdout).toBe(5);
    expect(held.stdout).toContain("the sales");
    expect(await status()).toMatchObject({ split: { blue: 100, green: 0 } });
    expect(await project.result(["promote", "--ignore-windows"])).toMatchObject({ ended: "live" });
    expect(await versionAt(project.host)).toBe("2");
    await project.result(["rollback"]);
    expect(await versionAt(project.host)).toBe("1");
  });

  test("recreate: the downtime is asked for, one slot at a time, and a release that fails is replaced by the old one", async () => {
    await configure({ mode: "recreate" });
    const unasked = await project.command([...release(), "--json"]);
    expect(unasked.exitCode, unasked.stdout).toBe(2);
    expect(unasked.stdout).toContain("confirmation-needed");
    expect(await project.result([...release("--yes")])).toMatchObject({ outcome: "released" });
    expect(await versionAt(project.host)).toBe("2");
    expect(await status()).toMatchObject({
      slots: { blue: { replicas: { desired: 0 } }, green: { replicas: { desired: 3 } } },
    });
    const failed = await project.command(["release", "--yes", "--json", "--set", "image=localhost/none:1"]);
    expect(failed.exitCode, failed.stdout).toBe(1);
    expect(await versionAt(project.host)).toBe("2");
    expect(await status()).toMatchObject({
      split: { blue: 0, green: 100 },
      slots: { blue: { replicas: { desired: 0 } }, green: { replicas: { desired: 3 } } },
      rollout: null,
    });
  });

  test.runIf(isSoak)(
    "one scarce GPU: what needs a second one is refused, and recreate hands it over",
    async () => {
      const resource = "example.com/gpu";
      await advertise(resource, 1);
      try {
        const configureGpu = (rollout: RolloutConfig) =>
          project.configure({
            slots: undefined,
            release: {
              image: testImages.blue,
              replicas: 1,
              imagePullPolicy: "Never",
              gpus: { count: 1, resource },
            },
            rollout: { settle: 1, soak: 1, drain: 3, rollbackWindow: 0, ...rollout },
          });
        await configureGpu({});
        await project.result(["up", "--allow-live-stop"]);
        await project.result(release());
        expect(await gpusInUse(resource)).toEqual(["1"]);
        const refused = await project.command(["release", "--json", "--set", `image=${testImages.blue}`]);
        expect(refused.exitCode, refused.stdout).toBe(1);
        expect(refused.stdout).toContain(`0 of 1 ${resource} are free`);
        await configureGpu({ mode: "recreate" });
        await project.result(["release", "--yes", "--set", `image=${testImages.blue}`]);
        expect(await versionAt(project.host)).toBe("1");
        expect(await gpusInUse(resource)).toEqual(["1"]);
      } finally {
        await advertise(resource, undefined);
      }
    },
  );

  test("an abort ends the wait for pods that never get ready, long before their deadline", async () => {
    let aborted: Promise<unknown> | undefined;
    const { exitCode, stdout } = await project.command(
      [...release("--set", "env.FAIL_READY=true"), "--json"],
      {
        onStart: (child) => {
          child.stdout?.on("data", (text: string) => {
            // Some of the pods are there, and not ready.
            if (text.includes("0 of 3 replicas ready")) aborted ??= project.result(["abort"]);
          });
        },
      },
    );
    expect(exitCode, stdout).toBe(1);
    expect(await aborted).toMatchObject({ release: 2 });
    expect(stdout).not.toContain("did not become ready within");
    expect(await project.result(["history"])).toMatchObject({
      rollouts: [{ outcome: "aborted", reason: expect.stringContaining("aborted it") }],
    });
    expect(await status()).toMatchObject({ slots: { green: { replicas: { desired: 0 } } }, rollout: null });
    expect(await versionAt(project.host)).toBe("1");
  });
});
