import { expect } from "vitest";
import type { LoadReport, LoadRun } from "../../../demo/load.ts";
import { routerNamed } from "../../../src/component/routers/factory.ts";
import type { Router } from "../../../src/component/routers/router.ts";
import { otherSlot, type Slot } from "../../../src/core/slots.ts";
import type { Testers } from "../../../src/core/testers.ts";
import type { RunningController } from "../controllers.ts";
import { ModelProject } from "../model-project.ts";
import { configureReleases, imageOf } from "../release-project.ts";
import { versionAt } from "../test-cluster.ts";
import type { Front } from "./fronts.ts";

const ratePerSecond = 20;
const streamSeconds = 2;
const slowMs = 2000;
export const previewHeader = "X-Modelswitch-Preview";
/** How many requests are copied where they are, per cent. */
export const copiedPercent = 50;

/** A model behind one router, through all cases of the kit one after the other: each leaves it to the next one. */
export class Stage {
  readonly front: Front;
  readonly controller: RunningController;
  readonly router: Router;
  readonly project: ModelProject;
  /** The slot that clients get, or got before the share that is in force. */
  live: Slot = "blue";
  #releases = 0;
  #load: { readonly run: LoadRun; readonly stop: AbortController } | undefined;

  private constructor(front: Front, controller: RunningController, project: ModelProject) {
    this.front = front;
    this.controller = controller;
    this.router = routerNamed(front.router);
    this.project = project;
  }

  static async create(front: Front, controller: RunningController): Promise<Stage> {
    const project = await ModelProject.create(`kit-${front.router}`);
    project.ingressUrl = controller.url;
    await front.prepare(project, controller);
    const stage = new Stage(front, controller, project);
    await stage.configure();
    return stage;
  }

  /** The configuration of the releases that follow. */
  async configure(of: { readonly testers?: Testers; readonly copies?: boolean } = {}): Promise<void> {
    const { front, project, controller } = this;
    const { testers, copies = false } = of;
    await configureReleases(project, {
      streamSeconds,
      steps: `${this.firstShare}%:2s, ${3 * this.firstShare}%:2s`,
      rollbackWindow: 600,
      ...(copies ? { shadow: { for: 5, percent: copiedPercent } } : {}),
      settings: {
        router: front.router,
        ingress: front.ingress(project, controller),
        ...(testers === undefined ? {} : { routing: { testers } }),
      },
    });
  }

  /** Per cent, of a release's first step: no whole number where the router can say such. */
  get firstShare(): number {
    return this.router.capabilities.fineShares ? 12.5 : 25;
  }

  /** Whether requests can be copied: by the router, and by the controller that runs. */
  get canCopy(): boolean {
    const { mirror, mirrorPercent } = this.router.capabilities;
    return mirror && mirrorPercent && this.front.lacks?.copies === undefined;
  }

  /** The version that a client with these headers gets. */
  ask(headers: Readonly<Record<string, string>> = {}): Promise<string> {
    return versionAt(this.project.host, headers, this.controller.url);
  }

  /** What clients get, or those whose preview header forces them to a slot. */
  at(slot?: Slot): Promise<string> {
    const routing = { main: this.live, candidate: otherSlot(this.live), weight: 0 } as const;
    const value =
      slot === undefined ? undefined : this.router.force(routing, slot === this.live ? "main" : "candidate");
    return this.ask(value === undefined ? {} : { [previewHeader]: value });
  }

  /** Blue has version 1, green version 2, in all cases. */
  versionOf(slot: Slot): string {
    return slot === "blue" ? "1" : "2";
  }

  async split(): Promise<Readonly<Record<Slot, number>>> {
    const { split } = (await this.project.result(["status"])) as { split: Record<Slot, number> };
    return split;
  }

  /** Arguments of a release into the idle slot; each is another one, so that pods are started. */
  release(): string[] {
    this.#releases += 1;
    const image = imageOf(this.versionOf(otherSlot(this.live)));
    return ["release", "--set", `image=${image}`, "--set", `env.RELEASE=${this.#releases}`];
  }

  /** Constant load of quick requests, slow ones and streams, some of them on new connections. */
  startLoad(): void {
    const stop = new AbortController();
    const { signal } = stop;
    const run = this.project.startMixedLoad({
      ratePerSecond,
      streamSeconds,
      slowMs,
      streamEvery: 40,
      signal,
    });
    this.#load = { run, stop };
  }

  /** The load comes to its end, and every answer is waited for. */
  async endLoad(): Promise<LoadReport> {
    if (this.#load === undefined) throw new Error("there is no load");
    const { run } = this.#load;
    this.#load = undefined;
    return await run.stop();
  }

  /** Does something under load: no request may fail. */
  async withoutFailure<T>(work: () => Promise<T>): Promise<T> {
    this.startLoad();
    const result = await work();
    const report = await this.endLoad();
    expect(report.failed, this.project.explain(report)).toBe(0);
    expect(report.succeeded).toBeGreaterThan(ratePerSecond);
    return result;
  }

  async remove(): Promise<void> {
    this.#load?.stop.abort();
    await this.project.remove();
  }
}
