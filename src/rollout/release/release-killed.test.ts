import { beforeEach, describe, expect, test } from "vitest";
import {
  benchWithModel,
  noFlags,
  splitNow,
  templateConfig,
  to,
} from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import { release, resume } from "../commands/release.ts";
import { up } from "../commands/up.ts";
import { observeDeployed } from "../context/deployed.ts";
import type { RolloutEnd } from "./rollout-end.ts";

let bench: TestBench;

const context = (rollout?: RolloutConfig) => bench.context(templateConfig(rollout));

const split = () => splitNow(context());

beforeEach(async () => {
  bench = await benchWithModel(templateConfig());
});

describe("killed at any request to the API server or write of Pulumi's", () => {
  test("the next command converges, and traffic is always on a slot that serves", async () => {
    class Killed extends Error {}
    const steps = { steps: "25%:1s" };
    let survived = false;
    for (let at = 1; !survived; at += 1) {
      bench = testBench();
      await up(context(), noFlags);
      let calls = 0;
      let dead = false;
      const intercept = bench.cluster.intercept;
      // A process that is dead does nothing more, whatever it catches.
      const maybeDie = () => {
        calls += 1;
        if (calls >= at) dead = true;
        if (dead) throw new Killed("killed");
      };
      bench.cluster.intercept = (request) => {
        if (request.method !== "GET") maybeDie();
        else if (dead) throw new Killed("killed");
        return intercept?.(request);
      };
      bench.stack.beforeUp = maybeDie;
      bench.stack.afterUp = maybeDie;
      let end: RolloutEnd | undefined;
      try {
        end = await release(context(steps), to("fraud:2"));
        survived = true;
      } catch (error) {
        // What it writes last may be a word about it.
        expect(String(error)).toContain("killed");
      }
      bench.cluster.intercept = intercept;
      bench.stack.beforeUp = undefined;
      bench.stack.afterUp = undefined;
      bench.holderIsGone = true;
      bench.clock.pass(60_000);
      const now = await split();
      const { observation } = await observeDeployed(context());
      for (const slot of ["blue", "green"] as const) {
        if (now[slot] > 0) expect(observation.slots[slot].endpoints.ready.length).toBe(2);
      }
      if (end === undefined) {
        end = await resume(context(steps), "resume");
        // Killed before anything was recorded: there is nothing to resume.
        end ??= await release(context(steps), to("fraud:2"));
      }
      expect(end, `killed at call ${at}`).toMatchObject({ kind: "live" });
      expect(await split()).toEqual({ blue: 0, green: 100 });
      // Nothing says that something is left to do.
      expect((await context().store.read())?.applying, `killed at call ${at}`).toBe(false);
    }
  }, 120_000);
});
