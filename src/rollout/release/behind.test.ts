import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { release, resume } from "../commands/release.ts";
import { up } from "../commands/up.ts";

let bench: TestBench;
const context = () => bench.context(templateConfig({ steps: "25%, 50%" }));
const next = { template: { image: "fraud:2", replicas: 2 } };

beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
});

/** From here on the ingress shows what it has read last: `share` per cent of green, whatever is declared. */
function showFor(share: number, ms = Number.POSITIVE_INFINITY): void {
  const until = bench.clock.now() + ms;
  let turn = 0;
  bench.ask = ({ headers }) => {
    if (bench.clock.now() >= until) return undefined;
    const header = headers["X-Modelswitch-Preview"];
    if (header !== undefined)
      return { status: 200, body: `version of ${header === "always" ? "green" : "blue"}` };
    turn += share;
    if (turn < 100) return { status: 200, body: "version of blue" };
    turn -= 100;
    return { status: 200, body: "version of green" };
  };
}

const seen = () =>
  bench.events.flatMap((event) => (event.type === "step" ? [`${event.state} ${event.id}`] : []));

describe("an ingress that is behind", () => {
  test("is not taken for one that shows the next share: the release goes back, and waits for it there", async () => {
    bench.afterMove = (routing) => {
      if (routing.weight === 50) showFor(25);
    };
    await expect(release(context(), next)).rejects.toMatchObject({
      code: "proof-failed",
      message: expect.stringContaining("All traffic is declared on blue, but the ingress does not show it"),
    });
    expect(seen()).toEqual(
      expect.arrayContaining(["failed prove-shift", "done prove-undo-shift", "failed prove-re-arm"]),
    );
    // What still has a share of the traffic, whatever is declared, is neither drained nor scaled down.
    expect(seen().join()).not.toMatch(/drain|scale-down/);
    expect(await splitNow(context())).toEqual({ blue: 100, green: 0 });

    bench.ask = () => undefined;
    expect(await resume(context(), "resume")).toMatchObject({
      kind: "finished",
      state: { outcome: "aborted" },
    });
  });

  test("is waited for longer on the way back than a proof takes otherwise", async () => {
    let isDeaf = false;
    bench.afterMove = ({ weight }) => {
      if (weight === 50) showFor(25);
      isDeaf ||= weight === 50;
      if (isDeaf && weight === 0) showFor(25, 60_000);
    };
    // The way back is heard of a minute later.
    bench.cluster.onPatch = (path) => {
      if (path.includes("/ingresses/")) showFor(25, 60_000);
    };
    expect(await release(context(), next)).toMatchObject({
      kind: "finished",
      failure: {
        code: "proof-failed",
        message: expect.stringMatching(/^The step "shift" could not be proved at the ingress within 10 s/),
      },
    });
    expect(seen()).toEqual(expect.arrayContaining(["done prove-re-arm", "done scale-down-green"]));
    expect(await splitNow(context())).toEqual({ blue: 100, green: 0 });
  });

  test("has as long for each step once the API server has been away", async () => {
    const watched = context();
    watched.answers.away("It is away.");
    bench.afterMove = (routing) => {
      if (routing.weight === 50) showFor(25, 60_000);
    };
    expect(await release(watched, next)).toMatchObject({ kind: "live" });
  });
});
