import { ModelProject } from "../test/e2e/model-project.ts";
import { configureReleases, imageOf } from "../test/e2e/release-project.ts";
import { line, type Summary, summarise } from "./statistics.ts";
import { patchBackend } from "./switch.ts";
import { untilLastOldAnswer } from "./watcher.ts";

const ratePerSecond = 200;
const replicas = 3;
const setup = {
  streamSeconds: 1,
  replicas,
  steps: "100%",
  rollbackWindow: 600,
  settle: 0,
  soak: 0,
  drain: 0,
};

/** Runs under constant load of quick requests, and fails where one of them did. */
async function underLoad<T>(project: ModelProject, work: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  const load = project.startQuickLoad(ratePerSecond, stop.signal);
  try {
    const result = await work();
    const report = await load.stop();
    if (report.failed > 0) throw new Error(`Requests failed: ${project.explain(report)}`);
    return result;
  } finally {
    stop.abort();
  }
}

async function floor(runs: number): Promise<number[]> {
  const project = await ModelProject.create("bench-floor");
  try {
    await project.configure({
      router: "plain",
      slots: {
        blue: { image: imageOf("1"), replicas, imagePullPolicy: "Never" },
        green: { image: imageOf("2"), replicas, imagePullPolicy: "Never" },
      },
    });
    await project.result(["up"]);
    return await underLoad(project, async () => {
      const durations: number[] = [];
      for (let index = 0; index < runs; index++) {
        const [from, to] = index % 2 === 0 ? (["1", "green"] as const) : (["2", "blue"] as const);
        durations.push(await untilLastOldAnswer(project, from, () => patchBackend(project, to)));
      }
      return durations;
    });
  } finally {
    await project.remove();
  }
}

interface Measured {
  /** From the start of the command until the last answer of the release that it leaves. */
  readonly safe: number[];
  /** The whole command, proved and drained. */
  readonly whole: number[];
}

async function rollbacks(runs: number): Promise<Measured> {
  const project = await ModelProject.create("bench-back");
  const measured: Measured = { safe: [], whole: [] };
  try {
    await configureReleases(project, setup);
    await project.result(["up"]);
    await underLoad(project, async () => {
      for (let index = 0; index < runs; index++) {
        await project.result(["release", "--set", `image=${imageOf("2")}`]);
        const start = performance.now();
        measured.safe.push(
          await untilLastOldAnswer(project, "2", async () => {
            await project.result(["rollback"]);
            measured.whole.push(performance.now() - start);
          }),
        );
      }
    });
    return measured;
  } finally {
    await project.remove();
  }
}

/** From the decision to go back until the last answer of the bad release, beside a patch of the Ingress by hand. */
export async function rollingBack(runs: number): Promise<string[]> {
  const patch = summarise(await floor(runs));
  const { safe, whole } = await rollbacks(runs);
  const p99 = (what: string, of: Summary) => `${what}: p99 ${Math.round(of.p99)} ms`;
  const [back, all] = [summarise(safe), summarise(whole)];
  return [
    line(`floor: patch of the Ingress until the last old answer, ${ratePerSecond} requests/s`, patch),
    line("rollback to a warm slot, start of the command until the last old answer", back, patch),
    line("rollback to a warm slot, whole command", all, patch),
    p99("floor", patch),
    p99("rollback until the last old answer", back),
    p99("rollback, whole command", all),
  ];
}
