import { describe, expect, test } from "vitest";
import { drawInputs } from "./order.ts";

const thirds = Array.from({ length: 600 }, (_, index) => ["board", "faint", "paper"][index % 3]);
const drawn = (segments: readonly (string | undefined)[], inputs: number) =>
  drawInputs(segments, { inputs, seed: "one", alpha: 0.0125 }).inputs;
const countOf = (all: ReturnType<typeof drawn>, segment: string) =>
  all.filter((one) => one.segment === segment).length;

describe("drawInputs", () => {
  test("draws all as traffic does where each segment gets its part by that", () => {
    const all = drawn(thirds, 300);
    expect(all).toHaveLength(300);
    expect(all.every(({ byTraffic }) => byTraffic)).toBe(true);
  });

  test("gives a small segment what it lacks beside what traffic draws, and no more than was said in all", () => {
    const segments = Array.from({ length: 3000 }, (_, index) => (index % 50 === 0 ? "rare" : "usual"));
    const all = drawn(segments, 150);
    expect(all.length).toBeLessThanOrEqual(150);
    expect(all.length).toBeGreaterThanOrEqual(149);
    // Two thirds of the inputs, shared by two segments.
    expect(countOf(all, "rare")).toBe(50);
    const rareByTraffic = all.filter(({ segment, byTraffic }) => segment === "rare" && byTraffic).length;
    expect(rareByTraffic).toBeLessThan(10);
    expect(all.every(({ segment, byTraffic }) => byTraffic || segment === "rare")).toBe(true);
  });

  test.each([
    [100, 100],
    [600, 600],
    [5000, 600],
  ])("of %d inputs without segments %d are asked, once each", (inputs, asked) => {
    const all = drawn(
      Array.from({ length: 600 }, () => undefined),
      inputs,
    );
    expect(new Set(all.map(({ index }) => index)).size).toBe(asked);
    expect(all.every(({ byTraffic }) => byTraffic)).toBe(true);
  });
});
