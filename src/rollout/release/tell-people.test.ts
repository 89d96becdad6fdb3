import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import { release, resume } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { control } from "../commands/steer.ts";
import { up } from "../commands/up.ts";

let bench: TestBench;
let told: string[];

const context = (rollout: RolloutConfig = {}) =>
  bench.context(
    templateConfig({
      notifications: [
        {
          url: "https://chat.example.com/hush",
          format: "generic",
          on: ["started", "phase", "held", "failed", "finished", "rolled-back"],
        },
      ],
      ...rollout,
    }),
  );
const next = { template: { image: "fraud:2", replicas: 2 } };

beforeEach(async () => {
  bench = testBench();
  told = [];
  await up(context(), noFlags);
  bench.receive = ({ body }) => {
    const { notice, phase, reason } = JSON.parse(body ?? "") as Record<string, string | null>;
    told.push(
      [notice, ...(notice === "phase" ? [phase] : []), ...(reason === null ? [] : [reason])].join(" "),
    );
    return { status: 200, body: "" };
  };
});

describe("people are told", () => {
  test("that a release begins, of each phase, and that it is live; of the scaling down later nothing", async () => {
    await release(context({ approval: ["cut-over"] }), next);
    expect(told).toEqual([
      "started",
      "phase deploy",
      "phase warm-up",
      "phase verify",
      "phase shift",
      "held somebody has to approve the phase cut-over",
    ]);
    told.length = 0;
    await control(context({ approval: ["cut-over"] }), ["approve"]);
    expect(told).toEqual(["phase cut-over", "phase soak", "phase drain", "phase scale-down", "finished"]);
    told.length = 0;
    bench.clock.pass(600_000);
    await resume(context(), "reconcile");
    expect(told).toEqual([]);
  });

  test("that a release went back, and why; that a rollback is done", async () => {
    bench.hook = () => ({ verdict: "fail", evidence: "no" });
    await release(context({ hooks: [{ name: "check", after: "deploy", run: ["true"] }] }), next);
    expect(told.at(-1)).toBe("failed The hook check (after deploy) did not pass: no");
    await release(context(), next);
    told.length = 0;
    await rollback(context());
    expect(told[0]).toBe("started");
    expect(told.at(-1)).toBe("finished");
  });

  test("and where that fails the release goes on; the warning names the host and no more", async () => {
    bench.receive = () => {
      throw new Error("no route");
    };
    expect(await release(context(), next)).toMatchObject({ kind: "live" });
    const warnings = bench.events.filter(({ type }) => type === "warning");
    expect(warnings).toContainEqual(expect.objectContaining({ code: "notification-failed" }));
    expect(JSON.stringify(bench.events)).not.toContain("hush");
  });
});
