import { existsSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import type { Clock } from "../src/core/clock.ts";
import { interrupted, UserError } from "../src/core/errors.ts";
import { type Event, type EventSink, step } from "../src/core/events.ts";
import type { LocalCluster } from "../src/core/local-cluster.ts";
import { type Routing, sameRouting, settledOn } from "../src/core/routing.ts";
import type { Slot } from "../src/core/slots.ts";
import { inProgress } from "../src/rollout/record/in-progress.ts";
import { RecordStore } from "../src/rollout/record/record-store.ts";
import { calibrate } from "./calibrate.ts";
import { modelswitch, type TimedEvent } from "./command.ts";
import { removeLeftovers } from "./leftovers.ts";
import { type LoadReport, type LoadRun, loadLimits, startLoad } from "./load.ts";
import type { DemoOptions } from "./options.ts";
import { prepare, type Surroundings } from "./prepare.ts";
import {
  type DemoProject,
  demoNamespace,
  type Flavour,
  fastFlavour,
  mlserverFlavour,
  projectIn,
  writeProject,
} from "./project.ts";
import { type DemoReport, type RecordedSwitch, switchReport } from "./report.ts";

export interface DemoRun extends Surroundings {
  readonly options: DemoOptions;
  /** Where `.modelswitch` is made. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Told what there is, as soon as it is there: what is left when the demo is stopped. */
  readonly onProgress: (reached: Reached) => void;
}

/** How far the demo has come. */
export interface Reached {
  readonly cluster?: LocalCluster;
  readonly project?: DemoProject;
  readonly modelIsUp?: boolean;
}

export interface DemoResult {
  readonly report: DemoReport;
  readonly project: DemoProject;
  readonly cluster: LocalCluster;
  readonly flavour: Flavour;
}

/** To the other slot, back, and again. */
const targets: readonly Slot[] = ["green", "blue", "green"];

/** Time for the switches, and all of the load between them: it must not end before the last one. */
export function longestLoadMs(steadySeconds: number): number {
  const pauses = targets.length + 1;
  return Math.min(loadLimits.durationMs, 20 * 60_000 + pauses * steadySeconds * 1000);
}

export async function runDemo(run: DemoRun): Promise<DemoResult> {
  const { options, events, signal, clock } = run;
  const flavour = options.fast ? fastFlavour : mlserverFlavour;
  const project = projectIn(run.root, flavour);
  const cluster = await prepare(options.cluster, flavour, run);
  run.onProgress({ cluster });
  await writeProject(project, flavour, cluster.kubeconfigPath);
  run.onProgress({ cluster, project });
  const { connect } = await import("../src/kubernetes/connect.ts");
  const { api } = connect({ path: cluster.kubeconfigPath });
  const { folder } = project;
  await removeLeftovers({
    api,
    namespace: demoNamespace,
    model: flavour.model,
    folder,
    clock,
    events,
    signal,
  });
  const commands = new Commands(run, project);
  const record = await new RecordStore(api, demoNamespace, flavour.model).read();
  if (inProgress(record) !== undefined) {
    // The demo was stopped in the middle of a switch.
    await commands.run("resume", "Go on where the demo was stopped: modelswitch resume", ["resume"]);
  }
  const up = await commands.run("up", "Bring up the model: modelswitch up", ["up", "--create-namespace"]);
  run.onProgress({ cluster, project, modelIsUp: true });
  if (!isSettledOn(up.routing, "blue")) {
    // An earlier run, or a user, has left the traffic on green.
    await commands.run("start", "Start from blue: modelswitch switch blue", ["switch", "blue"]);
  }

  const target = { url: cluster.ingressUrl, host: flavour.host, path: flavour.inferPath };
  const calibration = await findRate(run, flavour, target);
  const load = startLoad({
    ...target,
    body: flavour.body,
    ratePerSecond: calibration.ratePerSecond,
    versions: [flavour.version.blue, flavour.version.green],
    maximumDurationMs: longestLoadMs(options.steadySeconds),
    signal,
  });
  const recorded = await underLoad(run, load, async () => {
    const switches: RecordedSwitch[] = [];
    await clock.sleep(options.steadySeconds * 1000, signal);
    for (const [index, to] of targets.entries()) {
      switches.push(await commands.switchTo(`switch-${index + 1}`, to));
      await clock.sleep(options.steadySeconds * 1000, signal);
    }
    return switches;
  });
  const loadReport = await load.stop();
  if (signal.aborted) throw interrupted("The demo");
  requireLoadUntil(recorded.at(-1)?.endedAt ?? 0, loadReport);
  const slotOf = (slot: Slot) => ({
    version: flavour.version[slot],
    image: flavour.image[slot],
    about: flavour.describe[slot],
    replicas: flavour.replicas,
  });
  const report: DemoReport = {
    schemaVersion: 1,
    createdAt: new Date(clock.now()).toISOString(),
    flavour: flavour.kind,
    title: flavour.title,
    model: flavour.model,
    host: flavour.host,
    ingressUrl: cluster.ingressUrl,
    path: flavour.inferPath,
    kubernetesVersion: cluster.version,
    cluster: cluster.name,
    machine: { processors: cpus().length, memoryBytes: totalmem() },
    slots: { blue: slotOf("blue"), green: slotOf("green") },
    calibration,
    load: loadReport,
    switches: recorded.map((one) => switchReport(one, loadReport, flavour.version)),
  };
  return { report, project, cluster, flavour };
}

/** Requests that nobody sent have not failed: without load, "0 failed" says nothing. */
export function requireLoadUntil(
  lastSwitchEnded: number,
  load: Pick<LoadReport, "startedAt" | "durationMs">,
): void {
  if (load.startedAt + load.durationMs >= lastSwitchEnded) return;
  throw new UserError({
    code: "load-ended-early",
    message: `The load ended after ${Math.round(load.durationMs / 60_000)} minutes, before the last switch did.`,
    hint: "The switches took unusually long: see the steps above. Run the demo again on a machine that is less busy.",
  });
}

function isSettledOn(routing: unknown, slot: Slot): boolean {
  if (typeof routing !== "object" || routing === null) return false;
  return sameRouting(routing as Routing, settledOn(slot));
}

async function findRate(
  run: DemoRun,
  flavour: Flavour,
  target: { readonly url: string; readonly host: string; readonly path: string },
): Promise<DemoReport["calibration"]> {
  const { options, events, signal } = run;
  if (options.ratePerSecond !== undefined) {
    return { ratePerSecond: options.ratePerSecond, throughput: undefined };
  }
  return step(
    events,
    { id: "calibrate", title: "Find the load that this machine sustains" },
    () => calibrate({ ...target, body: flavour.body(0), signal }),
    ({ ratePerSecond, throughput }) =>
      `${ratePerSecond} requests/s, of ${Math.round(throughput)} in a short burst`,
  );
}

/** Runs `work` while the load goes on, and shows how the load fares. The load ends with it, however it ends. */
async function underLoad<T>(run: DemoRun, load: LoadRun, work: () => Promise<T>): Promise<T> {
  const about = { id: "load", title: "Constant load of inference requests" } as const;
  return step(
    run.events,
    about,
    async (progress) => {
      const show = setInterval(() => {
        const { requests, failed, ratePerSecond } = load.snapshot();
        progress({ detail: `${ratePerSecond}/s, ${requests} answered, ${failed} failed` });
      }, 500);
      try {
        return await work();
      } finally {
        clearInterval(show);
        await load.stop();
      }
    },
    () => {
      const { requests, failed } = load.snapshot();
      return `${requests} requests, ${failed} failed`;
    },
  );
}

/** The command line, its events shown below a step of the demo. */
class Commands {
  readonly #run: DemoRun;
  readonly #project: DemoProject;

  constructor(run: DemoRun, project: DemoProject) {
    this.#run = run;
    this.#project = project;
  }

  async run(
    id: string,
    title: string,
    words: readonly string[],
    parent?: string,
    onEvent?: (event: TimedEvent) => void,
  ): Promise<Readonly<Record<string, unknown>>> {
    const { events, env, signal } = this.#run;
    return step(events, { id, title, ...(parent === undefined ? {} : { parent }) }, () =>
      modelswitch(words, {
        folder: this.#project.folder,
        env: {
          ...env,
          ...(existsSync(this.#project.passphrasePath)
            ? {
                PULUMI_CONFIG_PASSPHRASE: undefined,
                PULUMI_CONFIG_PASSPHRASE_FILE: this.#project.passphrasePath,
              }
            : {}),
        },
        signal,
        onEvent: (timed) => {
          onEvent?.(timed);
          forward(events, id, timed.event);
        },
      }),
    );
  }

  async switchTo(id: string, to: Slot): Promise<RecordedSwitch> {
    const { clock } = this.#run;
    const recorded: TimedEvent[] = [];
    const startedAt = clock.now();
    const result = await this.run(
      id,
      `modelswitch switch ${to}`,
      ["switch", to],
      "load",
      (timed) => void recorded.push(timed),
    );
    return { to, startedAt, endedAt: clock.now(), result, events: recorded };
  }
}

function forward(events: EventSink, id: string, event: Event): void {
  if (event.type !== "step") events(event);
  else
    events({
      ...event,
      id: `${id}/${event.id}`,
      parent: event.parent === undefined ? id : `${id}/${event.parent}`,
    });
}
