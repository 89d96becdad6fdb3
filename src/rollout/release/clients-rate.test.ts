import { expect, test } from "vitest";
import type { CountersOutcome } from "../../gates/io.ts";
import { ClientsRate } from "./clients-rate.ts";

const counters = (requests: number) => ({ requests, errors: 0, latencies: { bounds: [], counts: [] } });
const sent = (requests: number) => ({ requests, errors: 0, seconds: [] });
const read = (atMs: number, live: number, own: number, era = "a"): CountersOutcome => ({
  kind: "read",
  controller: "Traefik",
  slots: { blue: counters(live), green: counters(0) },
  own: { blue: sent(own), green: sent(0) },
  where: "its pods",
  isShareChecked: true,
  longestRequestMs: 60_000,
  isDisturbed: false,
  steps: 1,
  atMs,
  era,
});

test("is what clients send beside our own requests, over a few seconds", () => {
  const rate = new ClientsRate();
  expect(rate.see(read(0, 1000, 0), "blue")).toBeUndefined();
  expect(rate.see(read(1_000, 1100, 0), "blue")).toBeUndefined();
  expect(rate.see(read(10_000, 1300, 100), "blue")).toBe(20);
  expect(rate.see(read(11_000, 1300, 100), "blue")).toBe(20);
});

test("is not told from counters of another time, nor where nobody counts any more", () => {
  const rate = new ClientsRate();
  rate.see(read(0, 1000, 0), "blue");
  expect(rate.see(read(10_000, 5, 0, "b"), "blue")).toBeUndefined();
  expect(rate.see(read(20_000, 105, 0, "b"), "blue")).toBe(10);
  expect(rate.see({ kind: "unreadable", why: "gone" }, "blue")).toBeUndefined();
});
