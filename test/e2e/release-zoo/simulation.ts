import { driftTest, lnDrift, noDrift, withPredictions } from "../../../src/core/statistics/drift.ts";
import { boundQuantiles } from "../../../src/core/statistics/exceedance.ts";
import { errorLines, slowLines } from "../../../src/core/statistics/lines.ts";
import { judgeLive, type LiveAnalysis, noTraffic } from "../../../src/core/statistics/live-analysis.ts";
import { drawBlock, randomOf } from "../../../src/core/statistics/simulation.fixture.ts";
import { lookMs } from "../../../src/gates/drift/ask.ts";
import { firstOf } from "../../../src/gates/drift/inputs.ts";
import { spreadPace } from "./gates.ts";
import type { Kind, Sight } from "./kinds.ts";
import { alphaOfGate, blockSeconds, isToPass, requestsPerSecond } from "./power.ts";

/**
 * In how many runs a gate of shares, as the product runs it, has said within the time what it should: chance and blocks come from a seed. Where the gate
 * holds it goes on until the time is over.
 */
export function simulated(kind: Kind, sight: Extract<Sight, { by: "shares" }>, runs: number): number {
  const isOfClients = sight.gate === "clients";
  const names = isOfClients ? ["errors"] : boundQuantiles.map(String);
  const lines = isOfClients ? errorLines : slowLines;
  const analysis: LiveAnalysis = {
    metrics: names.map((name) => ({ name, lines })),
    steps: 1,
    alpha: alphaOfGate(kind, sight.gate),
  };
  const share = isOfClients ? kind.step.percent / 100 : 0.5;
  const requests = Math.round(requestsPerSecond(kind, sight.gate) * blockSeconds);
  // The first reading of counters, and the first answers that fix what slow is, compare nothing.
  const blocks = Math.floor(sight.seconds / blockSeconds) - 1;
  const wanted = isToPass(kind, sight.gate) ? "pass" : "fail";
  let found = 0;
  for (let run = 0; run < runs; run++) {
    const random = randomOf(run + 1);
    let memory = noTraffic(analysis);
    for (let index = 0; index < blocks; index++) {
      const block = drawBlock(random, requests, share, sight);
      const judged = judgeLive(analysis, memory, {
        step: 0,
        share: undefined,
        durationMs: 1000 * blockSeconds,
        blocks: Object.fromEntries(names.map((name) => [name, block])),
      });
      memory = judged.memory;
      const { verdict } = judged.verdict;
      if (verdict === "hold") continue;
      if (verdict === wanted) found += 1;
      break;
    }
  }
  return found;
}

/** Predictions of one input. */
export interface Predicted {
  readonly live: string;
  readonly new: string;
}

/** In how many orders of the inputs the gate `spread` finds the drift of these predictions before they are used up. */
export function drawnDrifts(kind: Kind, predicted: readonly Predicted[], runs: number): number {
  const alpha = alphaOfGate(kind, "spread");
  const test = driftTest(alpha);
  const labels = [...new Set(predicted.flatMap((one) => [one.live, one.new]))];
  // Other labels and no prediction are bins, too.
  const bins = labels.length + 2;
  const countsOf = (slot: keyof Predicted, of: readonly Predicted[]) =>
    Array.from({ length: bins }, (_, bin) => of.filter((one) => one[slot] === labels[bin]).length);
  const perLook = (lookMs / 1000) * spreadPace;
  let found = 0;
  for (let run = 0; run < runs; run++) {
    const random = randomOf(run + 1);
    const drawn = predicted
      .map((one) => ({ one, place: random() }))
      .toSorted((a, b) => a.place - b.place)
      .map(({ one }) => one);
    let memory = noDrift(test, bins);
    for (let from = firstOf(drawn.length); from < drawn.length; from += perLook) {
      const asked = drawn.slice(from, from + perLook);
      memory = withPredictions(test, memory, { new: countsOf("new", asked), live: countsOf("live", asked) });
      if (lnDrift(test, memory) < Math.log(1 / alpha)) continue;
      found += 1;
      break;
    }
  }
  return found;
}
