import { beforeEach, describe, expect, test } from "vitest";
import { failureOf } from "../../../test/support/failure.ts";
import { noFlags, splitNow, templateConfig } from "../../../test/support/release-bench.ts";
import {
  asIngressNginx,
  json,
  putSlot,
  refusal,
  type TestBench,
  testBench,
  testConfig,
  testNamespace,
} from "../../../test/support/rollout-bench.ts";
import type { RolloutConfig } from "../../config/model/types.ts";
import { UserError } from "../../core/errors.ts";
import type { Slot } from "../../core/slots.ts";
import type { ApiRequest } from "../../kubernetes/api.ts";
import { goBack, meantBy } from "../commands/meant-by.ts";
import { release, resume } from "../commands/release.ts";
import { rollback } from "../commands/rollback.ts";
import { switchTraffic } from "../commands/switch.ts";
import { up } from "../commands/up.ts";
import { askOf } from "./left-requests.ts";

let bench: TestBench;
const context = (rollout?: RolloutConfig) => bench.context(templateConfig(rollout));
const next = { template: { image: "fraud:2", replicas: 2 } };
const podsOf = (slot: Slot) => new RegExp(`/pods/fraud-${slot}-\\d+:\\d+/proxy/`);

/** Release 2 is live in green, release 1 warm in blue. */
beforeEach(async () => {
  bench = testBench();
  await up(context(), noFlags);
  await release(context(), next);
  bench.stack.operations.length = 0;
  bench.events.length = 0;
});

/** Answers some requests to the API server before anything else does. */
function answer(of: (request: ApiRequest) => ReturnType<typeof json> | Promise<never> | undefined): void {
  const others = bench.cluster.intercept;
  bench.cluster.intercept = (request) => of(request) ?? others?.(request);
}

const codes = () => bench.events.flatMap((event) => (event.type === "warning" ? [event.code] : []));
const blueAgain = { blue: 100, green: 0 };

describe("nothing of the slot that is left is needed", () => {
  /** Ways in which the pods of the live slot answer the API server. */
  const bad: Readonly<Record<string, (request: ApiRequest) => ReturnType<typeof json> | Promise<never>>> = {
    "HTTP 500": () => ({ status: 500, headers: {}, body: "broken" }),
    "nothing, for ever": ({ signal }) =>
      new Promise((_, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted")))),
    "that their node has died": () => refusal(503, "ServiceUnavailable", "error trying to reach service"),
    "another version each": ({ path }) => ({ status: 200, headers: {}, body: path }),
  };
  const ways: Readonly<Record<string, () => Promise<unknown>>> = {
    rollback: () => rollback(context()),
    "rollback --to": () => rollback(context(), { to: 1 }),
    switch: () => switchTraffic(context(), "blue"),
  };
  const pairs = Object.keys(bad).flatMap((what) => Object.keys(ways).map((how) => [what, how] as const));
  test.each(pairs)("its pods answer %s: `%s` moves clients", async (what, how) => {
    answer((request) => (podsOf("green").test(request.path) ? bad[what]?.(request) : undefined));
    await ways[how]?.();
    expect(await splitNow(context())).toEqual(blueAgain);
  });

  test("a gate that fails in the soak takes it back whatever its pods answer", async () => {
    await rollback(context());
    const soaking = context({ soak: 30, rollbackWindow: 0 });
    const sleep = bench.clock.sleep.bind(bench.clock);
    let isBad = false;
    bench.clock.sleep = async (ms, signal) => {
      const { state } = (await context().store.read())?.rollout ?? {};
      if (!isBad && state?.phase === "soak") {
        isBad = true;
        putSlot(bench.cluster, "green", { replicas: 2, ready: 0, image: "fraud:3", release: 3 });
        answer(({ path }) => (podsOf("green").test(path) ? refusal(503, "ServiceUnavailable") : undefined));
        await askOf(context(), ["abort"]);
      }
      return await sleep(ms, signal);
    };
    expect(await release(soaking, { template: { image: "fraud:3", replicas: 2 } })).toMatchObject({
      kind: "finished",
      state: { outcome: "rolled-back" },
    });
    expect(await splitNow(context())).toEqual(blueAgain);
  });

  test("one silent pod of the goal is not waited for", async () => {
    answer(({ path }) =>
      path.includes("/pods/fraud-blue-0:") ? refusal(503, "ServiceUnavailable") : undefined,
    );
    await rollback(context());
    expect(await splitNow(context())).toEqual(blueAgain);
  });

  test("a goal of which no pod says who it is gets nothing; the way back is over, and can be tried again", async () => {
    let isSilent = true;
    answer(({ path }) =>
      isSilent && podsOf("blue").test(path) ? { status: 500, headers: {}, body: "" } : undefined,
    );
    const error = await failureOf(rollback(context()));
    expect(error).toMatchObject({ code: "goal-silent", exitCode: 1 });
    expect(await splitNow(context())).toEqual({ blue: 0, green: 100 });
    const record = await context().store.read();
    expect(record?.rollout?.state).toMatchObject({ phase: "done", outcome: "aborted" });
    isSilent = false;
    // A rollback that failed is no release that nobody wants.
    await rollback(context());
    expect(await splitNow(context())).toEqual(blueAgain);
  });
});

describe("a configuration that asks for another router already", () => {
  const other = () =>
    bench.context({ ...templateConfig(), router: "traefik", endpoints: ["http://192.0.2.9"] });
  test.each(["rollback", "switch"])(
    "`%s` takes no right to its objects, and asks nobody where it is",
    async (how) => {
      const asked: string[] = [];
      bench.ask = ({ endpoint }) => {
        asked.push(endpoint.address);
        return undefined;
      };
      answer((request) => {
        if (!request.path.endsWith("/selfsubjectaccessreviews")) return undefined;
        const { spec } = request.body as { spec: { resourceAttributes: { group: string } } };
        return json(201, { status: { allowed: spec.resourceAttributes.group !== "traefik.io" } });
      });
      await (how === "rollback" ? rollback(other()) : switchTraffic(other(), "blue"));
      expect(await splitNow(context())).toEqual(blueAgain);
      expect(asked.length).toBeGreaterThan(0);
      expect(asked).not.toContain("192.0.2.9");
    },
  );
});

describe("once clients are back", () => {
  const failures: Readonly<Record<string, () => UserError>> = {
    "a wrong passphrase": () =>
      new UserError({ code: "passphrase-wrong", message: "wrong passphrase", exitCode: 2 }),
    "no state folder": () => new UserError({ code: "stack-missing", message: "no such folder" }),
    "a backend that is away": () => new UserError({ code: "backend-unreachable", message: "no route" }),
  };
  test.each(Object.entries(failures))(
    "%s leaves them there, says what is left, and `resume` finishes it",
    async (_what, thrown) => {
      const broken = { ...context(), openStack: () => Promise.reject(thrown()) };
      const error = await failureOf(rollback(broken));
      expect(error).toMatchObject({ code: "rollback-unfinished", exitCode: 5 });
      expect(error.message).toContain("All traffic of fraud is on blue");
      expect(error.details).toMatchObject({ traffic: blueAgain, cause: thrown().code });
      expect(await splitNow(context())).toEqual(blueAgain);
      const deployment = `/apis/apps/v1/namespaces/${testNamespace}/deployments/fraud-blue`;
      expect(bench.cluster.get(deployment)).toMatchObject({ spec: { replicas: 2 } });
      expect(await resume(context(), "resume")).toMatchObject({ state: { outcome: "released" } });
      expect(bench.stack.operations.at(-1)?.desired?.routing).toEqual({
        main: "blue",
        candidate: "green",
        weight: 0,
      });
    },
  );

  test("nothing is asked for before", async () => {
    let askedAt: unknown;
    const asking = {
      ...context(),
      prepareSecrets: () => Promise.reject(new Error("A question before clients are back.")),
      openStack: async () => {
        askedAt ??= await splitNow(context());
        return bench.stack;
      },
    };
    await rollback(asking);
    expect(askedAt).toEqual(blueAgain);
  });

  test("a webhook that refuses the canary Ingress does not hold clients: the main one is written", async () => {
    const refuse = 'admission webhook "guard.example.com" denied the request';
    answer(({ method, path }) =>
      method === "PATCH" && path.endsWith("/ingresses/fraud-canary")
        ? refusal(403, "Forbidden", refuse)
        : undefined,
    );
    const error = await failureOf(rollback(context()));
    expect(error).toMatchObject({ code: "rollback-unfinished", exitCode: 5 });
    expect(error.message).toContain("guard.example.com");
    expect(await splitNow(context())).toEqual(blueAgain);
  });

  test("somebody who writes the object in between is written after", async () => {
    let conflicts = 0;
    answer(({ method, path }) => {
      if (method !== "PATCH" || !path.endsWith("/ingresses/fraud-canary") || conflicts >= 3) return undefined;
      conflicts += 1;
      return refusal(409, "Conflict", "the object has been modified");
    });
    await rollback(context());
    expect(await splitNow(context())).toEqual(blueAgain);
  });

  test("the plain router's one write goes to the API server alone, too", async () => {
    bench = testBench();
    const config = testConfig({ router: "plain" });
    await up(bench.context(config), noFlags);
    bench.stack.operations.length = 0;
    answer(({ path }) => (podsOf("blue").test(path) ? refusal(503, "ServiceUnavailable") : undefined));
    const shown = bench.answer;
    bench.answer = (header, host) => {
      const seen = shown(header, host);
      return seen.body === "version of blue" ? { status: 500, body: "" } : seen;
    };
    const broken = { ...bench.context(config), openStack: () => Promise.reject(new Error("no Pulumi")) };
    expect(await failureOf(switchTraffic(broken, "green"))).toMatchObject({ code: "rollback-unfinished" });
    expect(await splitNow(bench.context(config))).toEqual({ blue: 0, green: 100 });
  });
});

describe("a goal that is smaller than the load", () => {
  const shares = () =>
    bench.cluster.requests.flatMap(({ method, path, body }) => {
      if (method !== "PATCH" || !path.endsWith("/ingresses/fraud-canary")) return [];
      const { metadata } = body as { metadata?: { annotations?: Record<string, string> } };
      const weight = metadata?.annotations?.["nginx.ingress.kubernetes.io/canary-weight"];
      return weight === undefined ? [] : [Number(weight)];
    });
  const small = (live: number) => {
    putSlot(bench.cluster, "green", { replicas: live, image: "fraud:2", release: 2 });
    putSlot(bench.cluster, "blue", { replicas: 1, image: "fraud:1", release: 1 });
    bench.cluster.requests.length = 0;
  };
  const blueReplicas = () =>
    bench.cluster.get(`/apis/apps/v1/namespaces/${testNamespace}/deployments/fraud-blue`)?.spec;

  test("gets what it can carry at once, and the rest as it grows", async () => {
    small(10);
    await rollback(context());
    expect(shares().slice(0, 2)).toEqual([10, 100]);
    expect(blueReplicas()).toMatchObject({ replicas: 10 });
    expect(codes()).toContain("goal-small");
  });

  test("gets all at once where clients are not served rightly as it is, and grows behind it", async () => {
    small(10);
    const shown = bench.answer;
    bench.answer = (header, host) => {
      const seen = shown(header, host);
      return seen.body === "version of green" ? { status: 500, body: "" } : seen;
    };
    await rollback(context());
    expect(shares()[0]).toBe(100);
    expect(blueReplicas()).toMatchObject({ replicas: 10 });
    expect(bench.events).toContainEqual(
      expect.objectContaining({
        code: "goal-small",
        message: expect.stringContaining("not answered rightly"),
      }),
    );
  });

  test("gets all at once with `--now`", async () => {
    small(10);
    await rollback(context(), { now: true });
    expect(shares()[0]).toBe(100);
    expect(blueReplicas()).toMatchObject({ replicas: 10 });
  });

  test("is filled in the steps that somebody gives", async () => {
    await rollback(context(), {
      steps: [
        { weight: 10, holdMs: 1_000 },
        { weight: 50, holdMs: 1_000 },
      ],
    });
    expect(shares()).toEqual(expect.arrayContaining([10, 50, 100]));
    expect(await splitNow(context())).toEqual(blueAgain);
  });

  test("without pods it gets them past Pulumi first", async () => {
    putSlot(bench.cluster, "blue", { replicas: 0, image: "fraud:1", release: 1 });
    await rollback(context());
    expect(blueReplicas()).toMatchObject({ replicas: 2 });
    expect(await splitNow(context())).toEqual(blueAgain);
  });
});

describe("what is meant while a rollout is on its way", () => {
  test("`rollback`, and `switch` to the slot that it leaves, are `abort`; back is gone on with", async () => {
    await rollback(context());
    const steps = { steps: "50%:1h" };
    const sleep = bench.clock.sleep.bind(bench.clock);
    bench.clock.sleep = async (ms, signal) => {
      const record = await context().store.read();
      const { state } = record?.rollout ?? {};
      if (
        state?.phase === "shift" &&
        state.proved &&
        state.direction === "forward" &&
        !bench.stop.signal.aborted
      ) {
        expect(meantBy(record, {})).toBe("abort");
        expect(meantBy(record, { slot: "blue" })).toBe("abort");
        expect(meantBy(record, { release: 1 })).toBe("abort");
        expect(meantBy(record, { slot: "green" })).toBeUndefined();
        expect(meantBy(record, { release: 7 })).toBeUndefined();
        bench.stop.abort();
      }
      return await sleep(ms, signal);
    };
    const error = await failureOf(release(context(steps), { template: { image: "fraud:3", replicas: 2 } }));
    expect(error.exitCode).toBe(130);
    const { answer: shown, clock, cluster, stack } = bench;
    clock.sleep = sleep;
    const again = { ...context(steps), signal: new AbortController().signal };
    expect(shown(undefined, "").status).toBe(200);
    expect(await goBack(again, {})).toMatchObject({
      kind: "done",
      end: { state: { direction: "back", outcome: "aborted" } },
    });
    expect([cluster, stack]).toEqual([bench.cluster, bench.stack]);
    expect(await splitNow(again)).toEqual(blueAgain);
  });
});

describe("a controller that shows nothing through a main object without endpoints, as ingress-nginx", () => {
  const ingressesWritten = () =>
    bench.cluster.requests.flatMap(({ method, path }) =>
      method === "PATCH" && path.includes("/ingresses/") ? [path] : [],
    );

  test("all pods of the live slot are dead: the main object is written first", async () => {
    putSlot(bench.cluster, "green", { replicas: 2, ready: 0, image: "fraud:2", release: 2 });
    asIngressNginx(bench);
    await rollback(context());
    expect(await splitNow(context())).toEqual(blueAgain);
    expect(ingressesWritten()[0]).toMatch(/\/fraud$/);
  });

  test("so it is by `switch`, and by the abort of a release that has died", async () => {
    putSlot(bench.cluster, "green", { replicas: 2, ready: 0, image: "fraud:2", release: 2 });
    asIngressNginx(bench);
    await switchTraffic(context(), "blue");
    expect(await splitNow(context())).toEqual(blueAgain);
  });

  test("the mode recreate goes live, and back", async () => {
    await rollback(context());
    asIngressNginx(bench);
    const recreate = context({ mode: "recreate", rollbackWindow: 0 });
    expect(await release(recreate, { template: { image: "fraud:3", replicas: 2 } })).toMatchObject({
      state: { outcome: "released" },
    });
    expect(await splitNow(context())).toEqual({ blue: 0, green: 100 });
    expect(await rollback(recreate, { agree: () => Promise.resolve() })).toMatchObject({
      state: { outcome: "released" },
    });
    expect(await splitNow(context())).toEqual(blueAgain);
  });
});
