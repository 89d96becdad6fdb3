import { beforeEach, describe, expect, test } from "vitest";
import { noFlags, splitNow, templateConfig, to } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench } from "../../../test/support/rollout-bench.ts";
import { nginx } from "../../component/routers/nginx.ts";
import type { ResolvedConfig, RolloutConfig } from "../../config/model/types.ts";
import type { Routing } from "../../core/routing.ts";
import type { RoutingOptions } from "../../core/testers.ts";
import { release, resume } from "../commands/release.ts";
import { modelStatus } from "../commands/status.ts";
import { up } from "../commands/up.ts";

/** Testers and clients that stay where they are, through a whole release with a controller that obeys. */
let bench: TestBench;

const testers = { cookie: { name: "tester" } } as const;
const all: RoutingOptions = { testers, sticky: "pin" };

function configOf(routing: RoutingOptions, rollout: RolloutConfig = {}): ResolvedConfig {
  return { ...templateConfig({ steps: "25%:10s", ...rollout }), routing };
}

const context = (routing = all, rollout: RolloutConfig = {}) => bench.context(configOf(routing, rollout));

/** `blue|green@25 testers pinned`. */
const said = ({ main, candidate, weight, testers: of, pinned }: Routing) =>
  [
    `${main}|${candidate}@${weight}`,
    ...(of === undefined ? [] : [`testers ${of}`]),
    ...(pinned ? ["pinned"] : []),
  ].join(" ");
/** A field that is taken away from an object that nobody applies takes a second request. */
const moves = () => bench.moves.map(said).filter((text, index, all) => text !== all[index - 1]);

const onTheWay = [
  "blue|green@0 testers green",
  "blue|green@0 testers green pinned",
  "blue|green@25 testers green pinned",
];
const atTheEnd = [
  "blue|green@100 testers green pinned",
  "blue|green@100 testers green",
  "blue|green@100",
  "green|green@100",
  "green|blue@0",
];

function routingNow(): Routing | undefined {
  const objects = ["fraud", "fraud-canary"].map((name) =>
    bench.cluster.get(`/apis/networking.k8s.io/v1/namespaces/ml/ingresses/${name}`),
  );
  return nginx.read("fraud", objects as never);
}

beforeEach(async () => {
  bench = testBench();
  // What a canary object says of a cookie is obeyed; the preview header goes first.
  bench.ask = ({ headers }) => {
    const slot = routingNow()?.testers;
    const isTester = headers.Cookie === "tester=always" && headers["X-Modelswitch-Preview"] === undefined;
    return isTester && slot !== undefined ? { status: 200, body: `version of ${slot}` } : undefined;
  };
  await up(context(), noFlags);
  bench.moves.length = 0;
});

describe("a release with testers and clients that stay", () => {
  test("writes one object after the other, and ends with nothing but the release live", async () => {
    expect(await release(context(), to("fraud:2"))).toMatchObject({ kind: "live" });
    expect(moves()).toEqual([...onTheWay, ...atTheEnd]);
    expect(await splitNow(context())).toEqual({ blue: 0, green: 100 });
    expect(await modelStatus(context())).toMatchObject({ pending: undefined, beside: undefined });
  });

  test("takes testers and everybody back when a gate says so", async () => {
    const asked = bench.ask;
    bench.ask = (request) => (request.path === "/predict" ? { status: 500, body: "no" } : asked(request));
    const gate = { name: "smoke", phases: ["shift"], request: { path: "/predict", expect: { status: 200 } } };
    const gates = { gates: [gate] } as RolloutConfig;
    expect(await release(context(all, gates), to("fraud:2"))).toMatchObject({ kind: "finished" });
    expect(moves()).toEqual([
      ...onTheWay,
      "blue|green@0 testers green pinned",
      "blue|green@0 testers green",
      "blue|green@0",
    ]);
  });

  test("is refused where an annotation is the user's and would be the router's in the middle of it", async () => {
    const config = configOf(all);
    const annotations = { "nginx.ingress.kubernetes.io/affinity": "cookie" };
    const given = bench.context({ ...config, ingress: { ...config.ingress, annotations } });
    await expect(up(given, noFlags)).rejects.toMatchObject({ code: "annotation-owned" });
  });

  test("is not proved by an ingress that knows no testers, and goes back", async () => {
    bench.ask = () => undefined;
    const end = await release(context(), to("fraud:2"));
    expect(end).toMatchObject({
      kind: "finished",
      state: { outcome: "aborted" },
      failure: { message: expect.stringContaining("as testers ask, with `Cookie: tester=always`") },
    });
    expect(await splitNow(context())).toEqual({ blue: 100, green: 0 });
    expect(await resume(context(), "resume")).toBeUndefined();
    expect(routingNow()).toEqual({ main: "blue", candidate: "green", weight: 0 });
  });
});
