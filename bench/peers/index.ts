import { ModelProject } from "../../test/e2e/model-project.ts";
import { until, versionAt } from "../../test/e2e/test-cluster.ts";
import { line, summarise, timed } from "../statistics.ts";
import { untilLastOldAnswer } from "../watcher.ts";
import { argoBlueGreen, argoCanary } from "./argo.ts";
import { argoRollouts, type Controller, flagger, idle, install, uninstall } from "./controllers.ts";
import { flaggerCanary } from "./flagger.ts";
import { ours } from "./ours.ts";
import { type Subject, usualWays, type Way } from "./subject.ts";

/** 200 requests a second, whatever happens to their answers; one of twenty takes two seconds. */
const load = { ratePerSecond: 200, slowMs: 2000, streamSeconds: 1, streamEvery: 1_000_000_000 };

interface Figures {
  readonly lines: string[];
  sent: number;
  failed: number;
}

/** Runs `work` with a model of its own under load, and counts what failed. */
async function underLoad(
  subject: Subject,
  way: Way,
  figures: Figures,
  work: (project: ModelProject) => Promise<void>,
): Promise<void> {
  const project = await ModelProject.create("peer");
  const stop = new AbortController();
  try {
    await subject.deploy(project, way);
    await until("version 1 answers", async () => (await versionAt(project.host)) === "1");
    const running = project.startMixedLoad({ ...load, signal: stop.signal });
    await work(project);
    const report = await running.stop();
    figures.sent += report.succeeded + report.failed;
    figures.failed += report.failed;
    if (report.failed > 0) console.log(`${subject.name}: ${project.explain(report)}`);
  } finally {
    stop.abort();
    await project.remove();
  }
}

const other = (version: string) => (version === "1" ? "2" : "1");

async function measured(subject: Subject, runs: number): Promise<Figures> {
  const figures: Figures = { lines: [], sent: 0, failed: 0 };
  const row = (what: string, times: readonly number[]) =>
    figures.lines.push(line(`${subject.name}: ${what}`, summarise(times)));
  const lacks = (what: string) => figures.lines.push(`${subject.name}: ${what}: it has no such act`);
  for (const way of ["jump", "steps"] as const) {
    const what = subject.ways[way];
    if (what === undefined) {
      lacks(usualWays[way]);
      continue;
    }
    const whole: number[] = [];
    const back: number[] = [];
    await underLoad(subject, way, figures, async (project) => {
      let live = "1";
      for (let index = 0; index < runs; index++) {
        const next = other(live);
        whole.push(await timed(() => subject.release(project, next)));
        if (way === "steps") {
          live = next;
          continue;
        }
        back.push(await untilLastOldAnswer(project, next, () => subject.back(project, live)));
      }
    });
    row(what, whole);
    if (back.length > 0) row("back after a release, decision until the last old answer", back);
  }
  const { moved } = subject;
  const traffic = "traffic to a warm version, decision until the last old answer";
  if (moved === undefined) {
    lacks(traffic);
    return figures;
  }
  const moves: number[] = [];
  await underLoad(subject, "jump", figures, async (project) => {
    // Both versions have run before, so that both are warm.
    await subject.release(project, "2");
    let live = "2";
    for (let index = 0; index < runs; index++) {
      const next = other(live);
      await moved.prepare(project, next);
      moves.push(await untilLastOldAnswer(project, live, () => moved.move(project, next)));
      live = next;
    }
  });
  row(traffic, moves);
  return figures;
}

/** The field's controllers beside ours: same cluster, ingress, model server, load and steps. */
export async function peers(runs: number): Promise<string[]> {
  const lines: string[] = [];
  const take = async (subject: Subject) => {
    const figures = await measured(subject, runs);
    lines.push(...figures.lines, `${subject.name}: ${figures.failed} of ${figures.sent} requests failed`);
    console.log(figures.lines.join("\n"));
  };
  const withController = async (controller: Controller, subjects: readonly Subject[]) => {
    await install(controller);
    const { cpu, memory } = await idle(controller, 60);
    for (const subject of subjects) await take(subject);
    await uninstall(controller);
    lines.push(
      `${controller.name} without anything to do: ${cpu.toFixed(1)} % of a core, ${Math.round(memory)} MiB`,
    );
  };
  await take(ours);
  lines.push("modelswitch without anything to do: nothing of it runs");
  await withController(argoRollouts, [argoCanary, argoBlueGreen]);
  await withController(flagger, [flaggerCanary]);
  return lines;
}
