import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { systemClock } from "../../src/core/clock.ts";
import { failBets } from "../../src/core/statistics/bets.ts";
import { errorLines } from "../../src/core/statistics/lines.ts";
import {
  capOf,
  noShares,
  type ShareTest,
  startWeights,
  withBlock,
} from "../../src/core/statistics/share-process.ts";
import { requestFor } from "../../src/gates/ask-model.ts";
import { parityGate } from "../../src/gates/parity.ts";
import { runParity } from "../../src/gates/run-parity.ts";
import { askedAddresses } from "../../src/rollout/commands/asked-addresses.ts";
import { lookupInTime } from "../../src/rollout/observe/lookup.ts";
import { probe } from "../../src/rollout/proof/probe.ts";
import { line, summarise, timed } from "../statistics.ts";

const gates = 20;
const segments = 50;

/** One block of 20 gates of 50 segments each, with three starts. */
function blockOfManyGates(runs: number): string {
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

const inputs = 10_000;
const answerMs = 10;
/** As parity asks where its pace is not the limit. */
const atOnce = 8;

/** A model on this machine that takes ten milliseconds. */
async function slowServer(): Promise<{ readonly url: string; readonly close: () => Promise<void> }> {
  const server = createServer((request, response) => {
    request.resume();
    request.on("end", () =>
      setTimeout(() => response.end('{"outputs":[{"name":"p","shape":[1],"data":[1]}]}'), answerMs),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Bytes of the heap that are reachable. */
function memoryInUse(): number {
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
  return process.memoryUsage().heapUsed;
}

/** What judging costs, beside what is judged. */
export async function decisionSpeed(runs: number): Promise<readonly string[]> {
  return [blockOfManyGates(50), ...(await parityBesideItsRequests(runs))];
}

/** Parity of 10,000 inputs, beside the same requests sent by themselves: what judging and remembering cost. */
async function parityBesideItsRequests(runs: number): Promise<readonly string[]> {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-bench-parity-"));
  const path = "/v2/models/fraud/infer";
  const lines = Array.from({ length: inputs }, (_, index) =>
    JSON.stringify({ input: [index, index / 7], segment: index % 2 === 0 ? "even" : "odd" }),
  );
  await writeFile(join(folder, "cases.jsonl"), lines.join("\n"));
  const [live, release] = [await slowServer(), await slowServer()];
  const { signal } = new AbortController();
  const ask = askedAddresses(
    { live: live.url, release: release.url },
    { probe, lookup: lookupInTime, clock: systemClock },
  );
  const config = { cases: "cases.jsonl", path, pace: 1000 };
  const gate = parityGate.settings({ parity: config }, 10_000);
  const sent: number[] = [];
  const judged: number[] = [];
  const kept = { first: 0, last: 0 };
  try {
    for (let run = 0; run < runs; run++) {
      sent.push(
        await timed(async () => {
          const requests = lines.map((text) =>
            requestFor(gate.asking, (JSON.parse(text) as { input: unknown }).input),
          );
          const worker = async () => {
            for (let next = requests.pop(); next !== undefined; next = requests.pop()) {
              const request = { ...next, signal };
              await Promise.all([ask({ ...request, route: "live" }), ask({ ...request, route: "release" })]);
            }
          };
          await Promise.all(Array.from({ length: atOnce }, worker));
        }),
      );
      const io = { ask, calls: { clock: systemClock, folder } };
      judged.push(
        await timed(async () => {
          const about = { io, settings: gate, seed: `run ${run}`, deadlineMs: 3_600_000, signal };
          const said = await runParity({ ...about, onLook: () => Promise.resolve() });
          // With segments every input is asked before it passes.
          if (said.verdict !== "pass") throw new Error(`Equal models: ${said.verdict}, ${said.evidence}`);
        }),
      );
    }
    // One more, not timed: looking for what is in use takes time.
    await runParity({
      io: { ask, calls: { clock: systemClock, folder } },
      ...{ settings: gate, seed: "memory", deadlineMs: 3_600_000, signal },
      onLook: () => {
        const used = memoryInUse();
        kept.first ||= used;
        kept.last = used;
        return Promise.resolve();
      },
    });
  } finally {
    await Promise.all([live.close(), release.close(), rm(folder, { recursive: true })]);
  }
  const floor = summarise(sent);
  const mebibytes = (bytes: number) => `${Math.round(bytes / 1024 ** 2)} MiB`;
  return [
    line(`${inputs} inputs to two servers that take ${answerMs} ms, ${atOnce} at once`, floor),
    line(`parity of these inputs (goal 1.05×)`, summarise(judged), floor),
    `memory in use after the first look of a run: ${mebibytes(kept.first)}; after the last one: ${mebibytes(kept.last)}`,
  ];
}
