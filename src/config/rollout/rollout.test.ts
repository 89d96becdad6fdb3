import { describe, expect, test } from "vitest";
import { configProblems } from "../model/validate.ts";
import { describePath } from "../parts/problem.ts";
import { resolveRollout } from "./rollout.ts";
import type { RolloutConfig } from "./rollout-types.ts";

const least = { name: "fraud", release: { image: "a:1" }, ingress: { host: "a.b" } };

function problemsOf(rollout: unknown, more: object = {}): string[] {
  return configProblems({ ...least, ...more, rollout }).map(
    ({ path, message }) => `${describePath(path)}: ${message}`,
  );
}

/** Everything at once, as people may write it. */
const whole = {
  mode: { partial: 20 },
  approval: ["cut-over", "shift"],
  windows: [
    { days: "mon-fri", from: "09:00", to: "16:00" },
    { from: "22:00", to: "02:00" },
  ],
  freezes: [
    { from: "2026-12-20", to: "2027-01-02", reason: "holidays" },
    { from: "2026-07-01T18:00", to: "2026-07-01T20:00Z", reason: "audit" },
  ],
  timeZone: "Europe/Berlin",
  hooks: [
    { name: "migrate", before: "shift", run: ["./migrate.sh", "--check"] },
    {
      name: "tell",
      after: "cut-over",
      url: "https://hooks.example.com/x",
      secret: { env: "HOOK_KEY" },
      timeout: 5,
      onFailure: "continue",
    },
  ],
  gates: [
    { name: "smoke", run: ["./smoke.sh"], phases: ["verify"], every: 5, failures: 3, timeout: 20 },
    { name: "judge", url: "http://127.0.0.1:9000/judge" },
    {
      name: "answers",
      request: {
        path: "/v2/models/fraud/infer",
        body: { inputs: [] },
        requests: 20,
        allowed: 1,
        expect: { json: { path: "outputs.0.name", value: "score" }, latency: 0.25 },
      },
    },
  ],
  notifications: [
    { url: { env: "SLACK_WEBHOOK_URL" }, format: "slack" },
    { url: "https://events.example.com/", format: "generic", on: ["phase"], secret: { env: "KEY" } },
  ],
} satisfies RolloutConfig;

describe("what people lay down for a rollout", () => {
  test("is taken", () => {
    expect(problemsOf(whole)).toEqual([]);
  });

  test("is resolved with every default", () => {
    expect(resolveRollout(whole)).toMatchObject({
      mode: { kind: "partial", percent: 20 },
      approval: ["shift", "cut-over"],
      schedule: {
        timeZone: "Europe/Berlin",
        windows: [
          { days: ["mon", "tue", "wed", "thu", "fri"], from: 540, to: 960 },
          { days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], from: 1320, to: 120 },
        ],
        freezes: [
          // A day is in it to its end.
          {
            from: Date.parse("2026-12-20T00:00+01:00"),
            to: Date.parse("2027-01-03T00:00+01:00"),
            reason: "holidays",
          },
          { from: Date.parse("2026-07-01T16:00Z"), to: Date.parse("2026-07-01T20:00Z"), reason: "audit" },
        ],
      },
      hooks: [
        {
          name: "migrate",
          when: "before",
          phase: "shift",
          call: { kind: "command", run: ["./migrate.sh", "--check"], timeoutMs: 60_000, retries: 0 },
          onFailure: "abort",
        },
        {
          name: "tell",
          when: "after",
          phase: "cut-over",
          call: { kind: "webhook", secretEnv: "HOOK_KEY", timeoutMs: 5_000, retries: 2 },
          onFailure: "continue",
        },
      ],
      gates: [
        { kind: "pods", name: "pods" },
        { kind: "traffic", name: "traffic", byDefault: true, onInconclusive: "pass", alpha: 0.05 },
        { kind: "command", phases: ["verify"], everyMs: 5_000, failures: 3, call: { timeoutMs: 20_000 } },
        { kind: "webhook", phases: ["verify", "shadow", "shift", "soak"], everyMs: 10_000, failures: 1 },
        {
          kind: "request",
          request: {
            method: "POST",
            headers: {},
            count: 20,
            allowed: 1,
            timeoutMs: 10_000,
            expect: { status: 200, json: { path: "outputs.0.name", value: "score" }, latencyMs: 250 },
          },
        },
      ],
      notifications: [
        {
          url: { kind: "env", name: "SLACK_WEBHOOK_URL" },
          on: ["started", "held", "failed", "finished", "rolled-back"],
        },
        { url: { kind: "url" }, on: ["phase"], secretEnv: "KEY" },
      ],
    });
    expect(resolveRollout({ watchPods: false, watchTraffic: false }).gates).toEqual([]);
    expect(resolveRollout({ mode: "recreate" }).mode).toEqual({ kind: "recreate" });
  });

  test.each<[unknown, string]>([
    [
      { mode: "recrate" },
      'rollout.mode: "recrate" is none of full, recreate and { partial: 20 }; did you mean "recreate"?',
    ],
    [{ mode: "partial" }, "did you mean { partial: 20 }, the per cent of the replicas?"],
    [{ windows: [{ days: "mon-fry", from: "09:00", to: "16:00" }] }, 'did you mean "mon-fri"?'],
    [{ mode: { partial: 100 } }, "rollout.mode.partial: 100 is too big; it must be at most 99"],
    [{ mode: "recreate", steps: "5%, 50%" }, "rollout.steps: is given, but with mode"],
    [{ approval: ["cutover"] }, 'rollout.approval[0]: "cutover" is none of'],
    [{ approval: ["cutover"] }, 'did you mean "cut-over"?'],
    [{ windows: [] }, "rollout.windows: is empty"],
    [
      { windows: [{ days: "Mon-Fri", from: "09:00", to: "16:00" }] },
      'rollout.windows[0].days: "Mon-Fri" names no days; did you mean "mon-fri"?',
    ],
    [{ windows: [{ days: "weekdays", from: "09:00", to: "16:00" }] }, 'write for example "mon-fri"'],
    [{ windows: [{ from: "9", to: "16:00" }] }, 'rollout.windows[0].from: "9" is no time of day'],
    [{ windows: [{ from: "09:00", to: "25:00" }] }, 'rollout.windows[0].to: "25:00" is no time of day'],
    [{ windows: [{ from: "09:00", to: "09:00" }] }, 'for the whole day write from: "00:00", to: "24:00"'],
    [{ timeZone: "Berlin" }, 'rollout.timeZone: "Berlin" is no time zone; did you mean "Europe/Berlin"?'],
    [{ timeZone: "Europe/Berln" }, 'did you mean "Europe/Berlin"?'],
    [
      { freezes: [{ from: "2026-02-30", to: "2026-03-01", reason: "x" }] },
      'rollout.freezes[0].from: "2026-02-30" is no date',
    ],
    [
      { freezes: [{ from: "2026-03-02", to: "2026-03-01", reason: "x" }] },
      'rollout.freezes[0].to: "2026-03-01" is not after from, "2026-03-02"',
    ],
    [{ hooks: [{ name: "a", run: ["x"] }] }, "rollout.hooks[0]: needs before or after"],
    [{ hooks: [{ name: "a", before: "shift" }] }, "rollout.hooks[0]: needs run or url"],
    [
      { hooks: [{ name: "a", before: "shift", after: "shift", run: ["x"] }] },
      "rollout.hooks[0].after: is given, and before too",
    ],
    [{ hooks: [{ name: "a", before: "shift", run: [] }] }, "rollout.hooks[0].run: is empty"],
    [{ hooks: [{ name: "a", before: "shft", run: ["x"] }] }, 'did you mean "shift"?'],
    [
      {
        hooks: [
          { name: "a", before: "shift", run: ["x"] },
          { name: "a", after: "shift", run: ["x"] },
        ],
      },
      'rollout.hooks[1].name: "a" is the name of rollout.hooks[0], too',
    ],
    [
      { hooks: [{ name: "a", before: "shift", url: "http://checks.example.com/x" }] },
      "rollout.hooks[0].url: leads over http to checks.example.com, where anybody between can read it",
    ],
    [{ hooks: [{ name: "a", before: "shift", run: ["x"], secret: { env: "K" } }] }, "secret: is for a url"],
    [{ hooks: [{ name: "a", before: "shift", url: "https://a.b", secret: "hush" }] }, "secret"],
    [{ gates: [{ name: "pods", run: ["x"] }] }, 'rollout.gates[0].name: "pods" is the name of the gate'],
    [{ gates: [{ name: "a", request: { path: "/x", allowed: 10 } }] }, "so that the gate could never fail"],
    [{ gates: [{ name: "a", run: ["x"], phases: [] }] }, "rollout.gates[0].phases: is empty"],
    [{ notifications: [{ url: "x", format: "slack" }] }, "rollout.notifications[0].url: is no URL"],
    [{ notifications: [{ url: "https://a.b", format: "slak" }] }, 'did you mean "slack"?'],
    [
      { notifications: [{ url: "https://a.b", format: "slack", secret: { env: "K" } }] },
      "rollout.notifications[0].secret: is given, but Slack checks no signature",
    ],
    [{ notifications: [{ url: { env: "A-B" }, format: "slack" }] }, "is no name of an environment variable"],
  ])("%j is refused", (rollout, expected) => {
    expect(problemsOf(rollout).join("\n")).toContain(expected);
  });

  test("requests to a release that clients do not get yet need a router that can send them", () => {
    const gates = [{ name: "a", request: { path: "/x" } }];
    expect(problemsOf({ gates }, { router: "plain" })).toEqual([expect.stringContaining("router nginx")]);
    expect(problemsOf({ gates: [{ ...gates[0], phases: ["soak"] }] }, { router: "plain" })).toEqual([]);
    const narrow = { ingress: { host: "a.b", path: "/v2" } };
    expect(problemsOf({ gates }, narrow)).toEqual([expect.stringContaining("not under ingress.path")]);
    const rewrite = { "nginx.ingress.kubernetes.io/rewrite-target": "/$2" };
    const rewritten = { host: "a.b", path: "/m(/|$)(.*)", annotations: rewrite, also: [{ path: "/x" }] };
    expect(problemsOf({ gates }, { ingress: rewritten })).toEqual([]);
    const asPods = [{ name: "a", request: { path: "/v2/models" } }];
    expect(problemsOf({ gates: asPods }, { ingress: rewritten })).toEqual([
      expect.stringContaining("write the path as clients do"),
    ]);
    const grpc = { ingress: { host: "a.b", protocol: "grpc" } };
    expect(problemsOf({ gates }, grpc)).toContainEqual(expect.stringContaining("asks over HTTP"));
  });

  test("what may be secret in an address is not repeated", () => {
    const url = "http://me:hush@hooks.example.com/services/hush?key=hush";
    const all = problemsOf({
      hooks: [{ name: "a", before: "shift", url }],
      notifications: [
        { url, format: "slack" },
        { url: ["https://a.b/hush"], format: "slack" },
      ],
    });
    expect(all).toHaveLength(3);
    expect(all.join("\n")).not.toContain("hush");
  });
});
