import { afterEach, describe, expect, test } from "vitest";
import type { ModelProject } from "./model-project.ts";
import { releasedProject } from "./release-project.ts";
import { RolloutDriver, randomFrom } from "./rollout-driver.ts";
import { isSoak } from "./soak.ts";

/** `npm run test:soak` kills more often. */
const instants = isSoak ? 100 : 3;
const ratePerSecond = 30;
const streamSeconds = 3;

let project: ModelProject;

afterEach(async () => {
  await project.remove();
});

/** Every boundary between the steps of a release: before each, and after it, before it is recorded. The slot is whichever is idle. */
const boundaries = [
  "deploy-SLOT",
  "warm-up-SLOT",
  "verify",
  "write-shift",
  "prove-shift",
  "write-commit",
  "prove-commit",
  "write-re-arm",
  "prove-re-arm",
  "scale-down-SLOT",
].flatMap((id) => [`started:${id}`, `done:${id}`]);

const withoutSlot = (point: string) => point.replace(/-(blue|green)$/, "-SLOT");
const withSlots = (points: ReadonlySet<string>) =>
  new Set([...points].flatMap((point) => [point.replace("SLOT", "blue"), point.replace("SLOT", "green")]));

/** Has releases of a model killed under requests and streams, none of which may fail: at the end, and wherever `noneFailed` is asked. */
async function underLoad(
  prefix: string,
  work: (driver: RolloutDriver, noneFailed: (where: string) => void) => Promise<void>,
): Promise<void> {
  project = await releasedProject(prefix, { streamSeconds, steps: "25%, 50%" });
  const stop = new AbortController();
  const { signal } = stop;
  const load = project.startMixedLoad({ ratePerSecond, streamSeconds, streamEvery: 30, signal });
  try {
    await work(new RolloutDriver(project), (where) => {
      const sofar = load.snapshot();
      expect(sofar.failed, `${where}: ${project.explain(sofar)}`).toBe(0);
    });
    const report = await load.stop();
    expect(report.failed, project.explain(report)).toBe(0);
  } finally {
    stop.abort();
  }
}

describe("kill -9 of the command under load", () => {
  test("at each boundary between steps: the next command goes on, no request fails, the history is true", {
    timeout: isSoak ? 3_600_000 : 900_000,
  }, async () => {
    await underLoad("kill-steps", async (driver, noneFailed) => {
      for (let round = 0; round < (isSoak ? 3 : 1); round++) {
        const left = new Set(boundaries);
        while (left.size > 0 && driver.ended.length < 6 * (round + 1)) {
          let args = driver.begin();
          for (;;) {
            const where = await driver.attempt(args, { at: withSlots(left) });
            if (where === undefined) break;
            expect(left).toContain(withoutSlot(where));
            left.delete(withoutSlot(where));
            const { rollout } = await driver.check(`killed at ${where}`);
            noneFailed(`killed at ${where}`);
            if (rollout !== null) args = ["reconcile"];
            else if (await driver.hasEnded()) break;
          }
          await driver.noteEnd();
        }
        // Where a point was never come to, its name is wrong, or a step is no longer taken.
        expect([...left]).toEqual([]);
      }
    });
  });

  test(`at ${instants} random instants: the same`, {
    timeout: isSoak ? 3_600_000 : 900_000,
  }, async () => {
    const seed = Number(process.env.MODELSWITCH_TEST_SEED ?? Date.now() % 1_000_000);
    console.log(`MODELSWITCH_TEST_SEED=${seed} repeats these instants.`);
    const random = randomFrom(seed);
    await underLoad("kill-any", async (driver, noneFailed) => {
      while (driver.kills < instants) {
        let args = driver.begin();
        for (;;) {
          const kill = { afterEvents: Math.floor(random() * 50), delayMs: Math.floor(random() * 1_000) };
          const where = await driver.attempt(args, kill);
          if (where === undefined) break;
          const about = `seed ${seed}, kill ${driver.kills} ${JSON.stringify(kill)}, at ${where}`;
          const { rollout } = await driver.check(about);
          noneFailed(about);
          // Some go back instead, while they can.
          const mayAbort = rollout?.phase !== "scale-down" || rollout.direction === "back";
          if (rollout !== null) args = [random() < 0.2 && mayAbort ? "abort" : "reconcile"];
          else if (await driver.hasEnded()) break;
        }
        await driver.noteEnd();
        if (isSoak) console.log(`${driver.kills} kills, ${driver.ended.length} rollouts, no failed request`);
      }
    });
  });
});
