import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import { type Routing, sameRouting, splitOf } from "../../core/routing.ts";
import { release, resume } from "../commands/release.ts";
import { control } from "../commands/steer.ts";
import { up } from "../commands/up.ts";
import { observeDeployed } from "../context/deployed.ts";

let bench: TestBench;
const context = () => bench.context(templateConfig({ steps: "25%:1m, 50%" }));
const next = { template: { image: "fraud:2", replicas: 2 } };

beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
});

/** The command dies once it has written a routing, before it has proved it. */
async function killedAfter(routing: Routing, command: () => Promise<unknown>): Promise<void> {
  const intercept = bench.cluster.intercept;
  let dead = false;
  const die = () => {
    if (dead) throw new Error("killed");
  };
  bench.cluster.intercept = (request) => {
    die();
    return intercept?.(request);
  };
  bench.afterMove = (written) => {
    dead = sameRouting(written, routing);
    die();
  };
  await expect(command()).rejects.toThrow("killed");
  bench.cluster.intercept = intercept;
  bench.afterMove = undefined;
  bench.clock.pass(60_000);
  bench.events.length = 0;
}

/** Steps that were begun, in their order. */
function steps(): string[] {
  return bench.events.flatMap((event) =>
    event.type === "step" && event.state === "started" && /^(write|prove)/.test(event.id) ? [event.id] : [],
  );
}

describe("killed between an arming and its proof", () => {
  test("an abort proves it before the slot gets its traffic back", async () => {
    await killedAfter({ main: "green", candidate: "blue", weight: 0 }, () => release(context(), next));
    await control(context(), ["abort"]);
    expect(steps().slice(0, 3)).toEqual(["prove-arm", "write-shift", "prove-shift"]);
    expect(splitOf((await observeDeployed(context())).routing)).toEqual({ blue: 100, green: 0 });
  });

  test("where the ingress does not reach the slot, it gets nothing", async () => {
    await killedAfter({ main: "green", candidate: "blue", weight: 0 }, () => release(context(), next));
    bench.ask = ({ headers }) =>
      headers["X-Modelswitch-Preview"] === "always" ? { status: 503, body: "" } : undefined;
    await expect(control(context(), ["abort"])).rejects.toMatchObject({ code: "proof-failed" });
    expect(steps()).toEqual(["prove-arm"]);
    expect(splitOf((await observeDeployed(context())).routing)).toEqual({ blue: 0, green: 100 });
  });

  test("a stepped release that goes on proves it before its next share", async () => {
    const path = `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/fraud-canary`;
    // Somebody leads the canary elsewhere meanwhile.
    await killedAfter({ main: "blue", candidate: "green", weight: 25 }, () => release(context(), next));
    const canary = bench.cluster.get(path);
    bench.cluster.put(path, JSON.parse(JSON.stringify(canary).replaceAll("fraud-green", "fraud-blue")));
    expect((await observeDeployed(context())).routing).toEqual({
      main: "blue",
      candidate: "blue",
      weight: 25,
    });
    await killedAfter({ main: "blue", candidate: "green", weight: 0 }, () => resume(context(), "resume"));
    expect(await resume(context(), "resume")).toMatchObject({ kind: "live" });
    expect(steps().slice(0, 3)).toEqual(["prove-arm", "write-shift", "prove-shift"]);
  });
});
