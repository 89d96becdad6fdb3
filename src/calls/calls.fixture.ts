import type { CallReach, CallSubject } from "../core/calls.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import type { CallIo } from "./io.ts";
import { sender } from "./send.ts";

export const subject: CallSubject = {
  model: "fraud",
  namespace: "ml",
  environment: "production",
  kind: "release",
  startedAt: "2026-11-23T08:00:00.000Z",
  release: 7,
  image: "registry.example.com/fraud:1.5",
  imageDigest: `sha256:${"0".repeat(64)}`,
  slot: "green",
  direction: "forward",
  phase: "shift",
  stepIndex: 1,
  split: { blue: 75, green: 25 },
  operator: "ada@laptop",
};

/** As at the nginx router, with the release in the idle slot. */
export const reach: CallReach = {
  host: "fraud.example.com",
  path: "/",
  addresses: ["http://203.0.113.7:80", "http://203.0.113.8:80"],
  preview: { header: "X-Modelswitch-Preview", values: { blue: "never", green: "always" } },
  services: { blue: { name: "fraud-blue", port: 80 }, green: { name: "fraud-green", port: 80 } },
};

/** A clock whose waits are over at once. */
export function hurried(): Clock & { readonly slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => systemClock.now(),
    sleep: async (ms, signal) => {
      slept.push(ms);
      await systemClock.sleep(0, signal);
    },
  };
}

export function callIo(more: Partial<CallIo> = {}): CallIo {
  return {
    clock: hurried(),
    send: sender({}),
    folder: import.meta.dirname,
    env: { PATH: process.env.PATH },
    withheld: [],
    extra: {},
    ...more,
  };
}
