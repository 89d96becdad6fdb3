import { beforeEach, describe, expect, test } from "vitest";
import { failureOf } from "../../../test/support/failure.ts";
import { noFlags, splitNow, templateConfig, to } from "../../../test/support/release-bench.ts";
import { type TestBench, testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import type { KubernetesObject } from "../../kubernetes/api.ts";
import { goBack } from "../commands/meant-by.ts";
import { release, resume } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { modelStatus } from "../commands/status.ts";
import { control } from "../commands/steer.ts";
import { switchTraffic } from "../commands/switch.ts";
import { up } from "../commands/up.ts";
import { recordOf } from "../context/deployed.ts";

let bench: TestBench;
const context = () => bench.context(templateConfig());
const path = (name: string) => `/apis/networking.k8s.io/v1/namespaces/${testNamespace}/ingresses/${name}`;
const blueAgain = { blue: 100, green: 0 };

/** Its controller gives an Ingress that is made again an address after a second. */
function publishAddresses(): void {
  const sleep = bench.clock.sleep.bind(bench.clock);
  bench.clock.sleep = async (ms, signal) => {
    await sleep(ms, signal);
    const ingress = bench.cluster.get(path("fraud"));
    if (ingress === undefined || "status" in ingress) return;
    const status = { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } };
    bench.cluster.put(path("fraud"), { ...ingress, status });
  };
}

/** Release 2 is live in green, release 1 warm in blue. */
beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
  await release(context(), to("fraud:2"));
  bench.stack.operations.length = 0;
  bench.events.length = 0;
  publishAddresses();
});

interface Backend {
  service: { name: string };
}
/** As `kubectl edit` does in an incident: clients see a page that says so. */
function leadElsewhere(name: string): void {
  const ingress = structuredClone(bench.cluster.get(path(name))) as KubernetesObject & {
    spec: { rules: { http: { paths: { backend: Backend }[] } }[] };
  };
  for (const rule of ingress.spec.rules)
    for (const { backend } of rule.http.paths) backend.service.name = "maintenance-page";
  bench.cluster.put(path(name), ingress);
}

const astray: Readonly<Record<string, () => void>> = {
  "the main Ingress leads to a page that says so": () => leadElsewhere("fraud"),
  "the canary Ingress leads to a page that says so": () => leadElsewhere("fraud-canary"),
  "both lead there": () => {
    leadElsewhere("fraud");
    leadElsewhere("fraud-canary");
  },
  "the main Ingress is gone": () => bench.cluster.remove(path("fraud")),
  "both are gone": () => {
    bench.cluster.remove(path("fraud"));
    bench.cluster.remove(path("fraud-canary"));
  },
};
const ways: Readonly<Record<string, () => Promise<unknown>>> = {
  rollback: () => goBack(context(), {}),
  "rollback --to 1": () => rollback(context(), { to: 1 }),
  "switch blue": () => switchTraffic(context(), "blue"),
};
const codes = () => bench.events.flatMap((event) => (event.type === "warning" ? [event.code] : []));

describe("clients are sent somewhere else than to the model", () => {
  test.each(Object.keys(astray).flatMap((what) => Object.keys(ways).map((how) => [what, how] as const)))(
    "%s: `%s` brings them back, and says what it writes over",
    async (what, how) => {
      astray[what]?.();
      await ways[how]?.();
      expect(await splitNow(context())).toEqual(blueAgain);
      expect(codes().filter((code) => code === "routing-astray")).toHaveLength(1);
      // Everything is as it always is: Pulumi has it, and the next release begins.
      expect(bench.stack.operations.at(-1)?.desired?.routing).toMatchObject({ main: "blue" });
      await release(context(), to("fraud:3"));
      expect(await splitNow(context())).toEqual({ blue: 0, green: 100 });
    },
  );

  test.each(Object.keys(astray))(
    "%s: a slot that serves is where `switch` to it leads, too",
    async (what) => {
      astray[what]?.();
      await switchTraffic(context(), "green");
      expect(await splitNow(context())).toEqual({ blue: 0, green: 100 });
    },
  );

  test.each(Object.keys(astray))("%s: what goes forward is refused", async (what) => {
    astray[what]?.();
    const before = await context().store.read();
    const error = await failureOf(release(context(), to("fraud:3")));
    expect(["routing-unreadable", "up-unfinished"]).toContain(error.code);
    expect(error.hint).toMatch(/modelswitch (rollback|switch|up)/);
    expect(await context().store.read()).toEqual(before);
    expect(bench.stack.operations).toEqual([]);
  });

  test.each(Object.keys(astray))(
    "%s: the record is read all the same, and `status` says it",
    async (what) => {
      astray[what]?.();
      expect((await recordOf(context())).releases).toHaveLength(2);
      const seen = await modelStatus(context());
      expect(seen).toMatchObject({ live: undefined, split: { blue: 0, green: 0 } });
      expect(seen.pending).toMatch(
        /Ingress fraud is gone, or leads to something else .* `modelswitch switch SLOT`/,
      );
    },
  );

  test.each(Object.keys(astray))("%s in the middle of a release: `abort` takes it back", async (what) => {
    await switchTraffic(context(), "blue");
    const sleep = bench.clock.sleep.bind(bench.clock);
    let isAstray = false;
    bench.clock.sleep = async (ms, signal) => {
      const { state } = (await context().store.read())?.rollout ?? {};
      if (!isAstray && state?.phase === "shift") {
        isAstray = true;
        astray[what]?.();
      }
      return await sleep(ms, signal);
    };
    const stepwise = bench.context(templateConfig({ steps: "50%:10s" }));
    const error = await failureOf(release(stepwise, to("fraud:3")));
    expect(["routing-unreadable", "routing-changed", "undo-failed"]).toContain(error.code);
    expect(await control(context(), ["abort"])).toMatchObject({ kind: "done" });
    expect(await splitNow(context())).toEqual(blueAgain);
    expect(await resume(context(), "resume")).toBeUndefined();
  });
});
