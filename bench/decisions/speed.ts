import { failBets } from "../../src/core/statistics/bets.ts";
import { errorLines } from "../../src/core/statistics/lines.ts";
import {
  capOf,
  noShares,
  type ShareTest,
  startWeights,
  withBlock,
} from "../../src/core/statistics/share-process.ts";
import { line, summarise } from "../statistics.ts";

const gates = 20;
const segments = 50;

/** One block of 20 gates of 50 segments each, with three starts. */
export function blockOfManyGates(runs: number): string {
  const test: ShareTest = {
    line: errorLines.fail,
    bets: failBets(errorLines.bad),
    cap: capOf(0.0125),
    starts: startWeights(3),
  };
  let memories = Array.from({ length: gates * segments }, () => noShares(test));
  const durations: number[] = [];
  for (let run = 0; run < runs + 5; run++) {
    const start = performance.now();
    memories = memories.map((memory, index) =>
      withBlock(test, memory, {
        newEvents: index % 3,
        newRequests: 250 + index,
        liveEvents: index % 5,
        liveRequests: 750 + index,
      }),
    );
    // The first ones are compiled while they run.
    if (run >= 5) durations.push(performance.now() - start);
  }
  return line(
    `one block of ${gates} gates × ${segments} segments × 3 starts (goal 50 ms)`,
    summarise(durations),
  );
}
