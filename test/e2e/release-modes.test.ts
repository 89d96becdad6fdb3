import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RolloutConfig } from "../../src/config/types.ts";
import { failuresOf, ModelProject } from "./model-project.ts";
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
