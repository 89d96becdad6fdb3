import { ModelProject } from "../test/e2e/model-project.ts";
import { configureReleases, imageOf } from "../test/e2e/release-project.ts";
import { line, summarise } from "./statistics.ts";

const setup = { streamSeconds: 1, replicas: 3, settle: 1, soak: 0, drain: 3 };

interface Timed {
  readonly wholeMs: number;
  /** Time in each phase by its name, and before the first one. */
  readonly phases: ReadonlyMap<string, number>;
}

/** Runs a release and takes the time of its phases from its own events. */
async function timedRelease(project: ModelProject, version: string): Promise<Timed> {
  const startedAt = Date.now();
  const args = ["release", "--json", "--set", `image=${imageOf(version)}`];
  const { exitCode, stdout, stderr } = await project.command(args);
  const endedAt = Date.now();
  if (exitCode !== 0) throw new Error(`The release ended with ${exitCode}:\n${stdout}\n${stderr}`);
  const phases = new Map<string, number>();
  let [at, phase] = [startedAt, "start of the command"];
  const note = (until: number) => phases.set(phase, (phases.get(phase) ?? 0) + until - at);
  for (const { time, phase: next } of phaseEvents(stdout)) {
    note(time);
    [at, phase] = [time, next];
  }
  note(endedAt);
  return { wholeMs: endedAt - startedAt, phases };
}

function phaseEvents(stdout: string): { time: number; phase: string }[] {
  return stdout.split("\n").flatMap((text) => {
    if (!text.startsWith("{")) return [];
    const event = JSON.parse(text) as { time?: string; type?: string; phase?: string; message?: string };
    const phase = event.type === "phase" ? event.phase : /^Phase ([a-z-]+)/.exec(event.message ?? "")?.[1];
    return phase === undefined ? [] : [{ time: Date.parse(event.time ?? ""), phase }];
  });
}

/** A whole release with ready images and no gates, in one jump and in steps, and where its time goes. */
export async function releasing(runs: number): Promise<string[]> {
  const lines: string[] = [];
  for (const [what, steps] of [
    ["in one jump (goal 10 000 ms)", "100%"],
    ["25 %, 50 %, 100 %, 5 s each (goal 25 000 ms)", "25%:5s, 50%:5s, 100%:5s"],
  ] as const) {
    const project = await ModelProject.create("bench-release");
    try {
      await configureReleases(project, { ...setup, steps });
      await project.result(["up"]);
      const timed: Timed[] = [];
      for (let index = 0; index < runs; index++) {
        timed.push(await timedRelease(project, index % 2 === 0 ? "2" : "1"));
      }
      lines.push(line(`release ${what}`, summarise(timed.map(({ wholeMs }) => wholeMs))));
      for (const phase of timed[0]?.phases.keys() ?? []) {
        lines.push(line(`  ${phase}`, summarise(timed.map(({ phases }) => phases.get(phase) ?? 0))));
      }
    } finally {
      await project.remove();
    }
  }
  return lines;
}
