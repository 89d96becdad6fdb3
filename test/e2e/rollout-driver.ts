import { join } from "node:path";
import { expect } from "vitest";
import { resultOf } from "./cli-process.ts";
import type { ModelProject } from "./model-project.ts";
import { imageOf } from "./release-project.ts";
import { versionAt } from "./test-cluster.ts";

/** What ends a command before its time. */
export type Kill =
  /** At the first of these points that it comes to: the state and the id of a step, `started:write-shift`. */
  | { readonly at: ReadonlySet<string> }
  /** So long after it has said so many things: whatever the speed of the machine, some runs come further than others. */
  | { readonly afterEvents: number; readonly delayMs: number };

interface Seen {
  readonly live: "blue" | "green";
  readonly split: Readonly<Record<"blue" | "green", number>>;
  readonly slots: Readonly<
    Record<"blue" | "green", { readonly replicas: { readonly ready: number; readonly desired: number } }>
  >;
  readonly rollout: { readonly phase: string; readonly direction: string } | null;
}

/** Takes a model through releases and rollbacks whose commands are killed, and checks after each kill what must never break. */
export class RolloutDriver {
  readonly project: ModelProject;
  kills = 0;
  /** How each rollout ended, oldest first. */
  readonly ended: { readonly kind: string; readonly outcome: string }[] = [];
  version = "1";

  constructor(project: ModelProject) {
    this.project = project;
  }

  /** The command that starts the next rollout: every third one goes back, where a release has just gone live. */
  begin(): readonly string[] {
    const last = this.ended.at(-1);
    const hasGoneLive = last?.kind === "release" && last.outcome === "released";
    if (this.ended.length % 3 === 2 && hasGoneLive) return ["rollback"];
    return ["release", "--set", `image=${imageOf(this.version === "1" ? "2" : "1")}`];
  }

  /** Runs a command; `undefined`: it came to its end. Else where it was killed. */
  async attempt(args: readonly string[], kill: Kill | undefined): Promise<string | undefined> {
    let timer: NodeJS.Timeout | undefined;
    const { exitCode, stdout, stderr } = await this.project.command([...args, "--json"], {
      ...(kill !== undefined && "at" in kill ? { env: faultPoints(kill.at) } : {}),
      onStart: (child) => {
        if (kill === undefined || "at" in kill) return;
        let events = 0;
        const count = (text: string) => {
          events += text.split("\n").length - 1;
          if (events >= kill.afterEvents) timer ??= setTimeout(() => child.kill("SIGKILL"), kill.delayMs);
        };
        child.stdout?.on("data", count);
        count("");
      },
    });
    clearTimeout(timer);
    if (exitCode === null) {
      this.kills += 1;
      return lastPoint(stdout) ?? "before its first step";
    }
    expect(exitCode, `${args.join(" ")}:\n${stdout}\n${stderr}`).toBe(0);
    expect(resultOf(stdout), stdout).toMatchObject({
      ended: expect.stringMatching(/finished|live|nothing-due/),
    });
    return undefined;
  }

  /** What must hold at every instant, so also now: traffic is only where all replicas are ready. */
  async check(where: string): Promise<Seen> {
    const seen = (await this.project.result(["status"])) as unknown as Seen;
    for (const slot of ["blue", "green"] as const) {
      const { ready, desired } = seen.slots[slot].replicas;
      if (seen.split[slot] === 0) continue;
      expect(ready, `${where}: ${slot} has ${seen.split[slot]} % and ${ready} of ${desired}`).toBe(desired);
      expect(desired, `${where}: ${slot} has ${seen.split[slot]} %`).toBeGreaterThan(0);
    }
    return seen;
  }

  /** Whether the rollout that was begun is in the history: it may be killed after its last write. */
  async hasEnded(): Promise<boolean> {
    const { rollouts } = (await this.project.result(["history"])) as { rollouts: readonly unknown[] };
    return rollouts.length > this.ended.length;
  }

  /** A rollout is over: the history says what clients see, once. */
  async noteEnd(): Promise<void> {
    const { rollouts, slots, releases } = (await this.project.result(["history"])) as {
      rollouts: { kind: string; outcome: string; release: number; target: string }[];
      slots: Record<string, number>;
      releases: { number: number; spec: { image: string } }[];
    };
    const last = rollouts.at(-1);
    expect(rollouts.map(({ kind, outcome }) => ({ kind, outcome }))).toEqual([
      ...this.ended,
      { kind: last?.kind, outcome: last?.outcome },
    ]);
    this.ended.push({ kind: last?.kind ?? "", outcome: last?.outcome ?? "" });
    const seen = await this.check("at the end");
    const answers = await versionAt(this.project.host, {}, this.project.ingressUrl);
    const expected = last?.outcome === "released" ? (this.version === "1" ? "2" : "1") : this.version;
    expect(answers, JSON.stringify(last)).toBe(expected);
    this.version = answers;
    expect(seen.live === last?.target, JSON.stringify({ seen, last })).toBe(last?.outcome === "released");
    const live = releases.find(({ number }) => number === slots[seen.live]);
    expect(live?.spec.image).toBe(imageOf(answers));
    expect(seen).toMatchObject({ rollout: null, pending: null });
    expect(seen.split[seen.live]).toBe(100);
  }
}

export function faultPoints(points: ReadonlySet<string>): Record<string, string> {
  return {
    NODE_OPTIONS: `--import=${join(import.meta.dirname, "fault-point.ts")}`,
    MODELSWITCH_TEST_FAULT_POINTS: [...points].join(","),
  };
}

/** The last step of which a command said anything. */
function lastPoint(stdout: string): string | undefined {
  const steps = stdout.split("\n").flatMap((line) => {
    try {
      const { type, id, state } = JSON.parse(line) as Record<string, unknown>;
      return type === "step" ? [`${String(state)}:${String(id)}`] : [];
    } catch {
      return [];
    }
  });
  return steps.at(-1);
}

/** Numbers from 0 to 1 that a seed determines. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
