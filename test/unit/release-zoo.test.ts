import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type GateName, gateOf, readDigits } from "../e2e/release-zoo/gates.ts";
import { barelyWorse, kinds } from "../e2e/release-zoo/kinds.ts";
import { networkOf } from "../e2e/release-zoo/network.ts";
import { powerOf, requestsIn, requestsNeeded, wantedPower } from "../e2e/release-zoo/power.ts";
import { drawnDrifts, simulated } from "../e2e/release-zoo/simulation.ts";

const all = [...kinds, barelyWorse];

/** As the issue of the zoo names them. */
const named = [
  "3× slower",
  "JSON broken for the consumer",
  "NaN for rare inputs",
  "better",
  "cold for 30 s",
  "drifted predictions",
  "errors 0.5 → 5 %",
  "errors only under concurrency",
  "feature order off by one",
  "identical",
  "label map permuted",
  "memory leak that ends after N requests",
  "numerically noisy but fine",
  "output schema changed",
  "quantised but fine",
  "slow tail only",
  "streams cut short",
  "worse on one segment only",
];

test("eighteen kinds, six of them in the ordinary run", () => {
  expect(kinds.map(({ name }) => name).toSorted()).toEqual(named);
  expect(kinds.filter(({ isOrdinary }) => isOrdinary)).toHaveLength(6);
});

test("the page on gates has the gate that sees each of them", async () => {
  const page = await readFile(join(import.meta.dirname, "..", "..", "docs", "gates.md"), "utf8");
  const [, section = ""] = page.split("## Which gate sees what");
  for (const { name, ending } of all) {
    if (ending.kind === "completes") {
      expect(section).toContain(name);
      continue;
    }
    const row = section.split("\n").find((line) => line.startsWith(`| ${name} `)) ?? name;
    const { gate } = ending;
    const kind = gate === "pods" ? gate : kindOfGate(gate);
    expect(row).toContain(`\`${kind}\``);
    expect(row).toContain(ending.phase === "verify" ? "verified" : "shifted");
  }
});

/** The key by which a configuration says what a gate is. */
function kindOfGate(name: GateName): string {
  const common = ["name", "every", "phases"];
  return Object.keys(gateOf(name, undefined)).find((key) => !common.includes(key)) ?? "";
}

describe("the gates of a kind have a power of 0.999", () => {
  test.each(all.map((kind) => [kind.name, kind] as const))("%s", (_, kind) => {
    expect(kind.sights.length).toBeGreaterThan(0);
    for (const sight of kind.sights) {
      if (sight.by === "bins") continue;
      const more =
        sight.by === "shares" ? { needed: requestsNeeded(kind, sight), has: requestsIn(kind, sight) } : {};
      expect(powerOf(kind, sight), JSON.stringify({ sight, ...more })).toBeGreaterThanOrEqual(wantedPower);
    }
    const { mix, rate } = kind;
    expect(Object.values(mix).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
    expect(rate).toBeGreaterThan(0);
  });
});

describe("and so say simulated clients, judged as the product judges", () => {
  const cases = all.flatMap((kind) =>
    kind.sights.flatMap((sight) =>
      sight.by === "shares" ? [[kind.name, sight.gate, kind, sight] as const] : [],
    ),
  );
  const runs = 1000;
  // Of a thousand runs at a power of 0.999 one fails in the mean; more than five are seldom.
  test.each(cases)("%s, by %s", (_name, _gate, kind, sight) => {
    expect(simulated(kind, sight, runs)).toBeGreaterThanOrEqual(runs - 5);
  });
});

describe("and so say the models' own predictions, in any order", () => {
  const cases = all.flatMap((kind) =>
    kind.sights.flatMap((sight) => (sight.by === "bins" ? [[kind.name, kind, sight] as const] : [])),
  );
  const runs = 1000;
  test.each(cases)("%s", { timeout: 60_000 }, async (_name, kind, { inputs }) => {
    const [live, network] = await Promise.all([networkOf({}), networkOf(kind.env)]);
    const predicted = (await readDigits()).map(({ input }) => ({
      live: live.label(input),
      new: network.label(input),
    }));
    expect(predicted.length).toBeGreaterThanOrEqual(inputs);
    expect(drawnDrifts(kind, predicted, runs)).toBeGreaterThanOrEqual(wantedPower * runs);
  });
});

test("what the table says of answers is what the models do", async () => {
  const digits = await readDigits();
  const live = await networkOf({});
  for (const kind of all) {
    const network = await networkOf(kind.env);
    for (const sight of kind.sights) {
      if (sight.by !== "pairs" || sight.gate === "words" || sight.gate === "close") continue;
      const isRight = sight.gate === "accuracy";
      const against = digits.filter(({ input, label }) => {
        const [theirs, ours] = [live.label(input), network.label(input)];
        return isRight ? theirs === label && ours !== label : theirs !== ours;
      });
      const inFavour = digits.filter(
        ({ input, label }) => isRight && live.label(input) !== label && network.label(input) === label,
      );
      const share = (against.length - inFavour.length) / digits.length;
      const isGood = kind.ending.kind === "completes";
      if (isGood) expect(share, kind.name).toBeLessThanOrEqual(sight.against);
      else expect(share, kind.name).toBeGreaterThanOrEqual(sight.against);
    }
  }
});
