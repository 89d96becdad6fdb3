import { describe, expect, test } from "vitest";
import { subject } from "../calls/calls.fixture.ts";
import type { GateIo, KnownPods, PodSeen } from "./io.ts";
import { judgePods, podsGate } from "./pods.ts";

const pod = (name: string, more: Partial<PodSeen> = {}): PodSeen => ({
  id: `uid-${name}`,
  name,
  ready: true,
  restarts: 0,
  lastEnd: undefined,
  ...more,
});
const knows = (pods: Record<string, number>): KnownPods =>
  Object.fromEntries(Object.entries(pods).map(([name, restarts]) => [`uid-${name}`, { name, restarts }]));
const known = knows({ a: 0, b: 2 });

describe("pods of the new release", () => {
  test("are fine while they are what they were", () => {
    const said = judgePods(known, { desired: 2, pods: [pod("a"), pod("b", { restarts: 2 })] });
    expect(said).toMatchObject({ verdict: "pass", evidence: "2 of 2 pods ready, no restart", known });
  });

  test("that are seen first become known, with their restarts so far", () => {
    const said = judgePods({}, { desired: 2, pods: [pod("a", { restarts: 1 }), pod("b", { ready: false })] });
    expect(said).toMatchObject({ verdict: "hold", evidence: "1 of 2 pods ready", known: knows({ a: 1 }) });
  });

  test("that restart fail, though they are ready again, and the reason is told", () => {
    const again = pod("b", { restarts: 3, lastEnd: "OOMKilled, exit code 137" });
    expect(judgePods(known, { desired: 2, pods: [pod("a"), again] })).toMatchObject({
      verdict: "fail",
      evidence: "b restarted once (OOMKilled, exit code 137)",
      known,
    });
  });

  test("that have the name of a former one are others", () => {
    const other = pod("b", { id: "another uid", restarts: 5 });
    const said = judgePods(known, { desired: 2, pods: [pod("a"), other] });
    expect(said).toMatchObject({ verdict: "pass", known: { "another uid": { restarts: 5 } } });
  });

  test("that are not ready any more fail", () => {
    const pods = [pod("a", { ready: false }), pod("b", { restarts: 2 })];
    expect(judgePods(known, { desired: 2, pods })).toMatchObject({
      verdict: "fail",
      evidence: "a is not ready any more",
    });
  });

  test("that are gone are waited for until they are replaced", () => {
    const left = [pod("a")];
    expect(judgePods(known, { desired: 2, pods: left })).toMatchObject({
      verdict: "hold",
      evidence: "b ended, and no other pod is ready in its place yet",
    });
    const starting = judgePods(known, { desired: 2, pods: [...left, pod("c", { ready: false })] });
    expect(starting.verdict).toBe("hold");
    const replaced = judgePods(known, { desired: 2, pods: [...left, pod("c", { restarts: 1 })] });
    expect(replaced).toEqual({
      verdict: "pass",
      evidence: "2 of 2 pods ready, no restart; b ended and was replaced",
      known: knows({ a: 0, c: 1 }),
    });
  });

  test("that an autoscaler takes away are no reason; those that only start are waited for", () => {
    expect(judgePods(known, { desired: 1, pods: [pod("a")] })).toMatchObject({ verdict: "pass" });
    const more = [pod("a"), pod("b", { restarts: 2 }), pod("c", { ready: false })];
    expect(judgePods(known, { desired: 3, pods: more })).toMatchObject({
      verdict: "hold",
      evidence: "2 of 3 pods ready",
      known,
    });
  });

  test("that are not seen never pass, whatever is wanted", () => {
    expect(judgePods({}, { desired: 2, pods: [] })).toMatchObject({
      verdict: "hold",
      evidence: "0 of 2 pods ready",
    });
    expect(judgePods({}, { desired: 0, pods: [] })).toMatchObject({ verdict: "hold" });
    const crashing = [pod("a", { ready: false, restarts: 3 }), pod("b", { ready: false, restarts: 3 })];
    expect(judgePods({}, { desired: 2, pods: crashing })).toMatchObject({ verdict: "hold", known: {} });
  });
});

test("what is remembered of very many pods does not fill the record", async () => {
  const pods = Array.from({ length: 1_000 }, (_, index) => pod(`pod-${index}`));
  const io = { pods: () => Promise.resolve({ desired: 1_000, pods }) } as unknown as GateIo;
  const gate = {
    kind: "pods",
    name: "pods",
    phases: ["verify"],
    everyMs: 1,
    failures: 1,
    onInconclusive: "hold",
  } as const;
  const looked = await podsGate.look(
    { io, memory: "what no version has written" },
    gate,
    { ...subject, phase: "verify" },
    new AbortController().signal,
  );
  expect(looked.said.verdict).toBe("pass");
  expect(Object.keys(looked.memory as object)).toHaveLength(500);
});
