import { expect } from "vitest";
import { ModelProject } from "../model-project.ts";
import { configureReleases } from "../release-project.ts";
import { RolloutDriver } from "../rollout-driver.ts";
import type { Stage } from "./stage.ts";

const streamSeconds = 2;

/** Before each step of a release, and after it, before it is recorded. The slot is whichever is idle. */
const boundaries = (hasCommit: boolean) =>
  [
    "deploy-SLOT",
    "warm-up-SLOT",
    "verify",
    "write-shift",
    "prove-shift",
    ...(hasCommit ? ["write-commit", "prove-commit", "write-re-arm", "prove-re-arm"] : []),
    "scale-down-SLOT",
  ].flatMap((id) => [`started:${id}`, `done:${id}`]);

const withoutSlot = (point: string) => point.replace(/-(blue|green)$/, "-SLOT");

/** Releases of a model of their own, killed at every boundary, each by one command more; every next command goes on, and no request fails. */
export async function killedEverywhere({ front, controller, router }: Stage): Promise<void> {
  const project = await ModelProject.create(`kills-${front.router}`);
  project.ingressUrl = controller.url;
  const stop = new AbortController();
  try {
    await front.prepare(project, controller);
    const settings = { router: front.router, ingress: front.ingress(project, controller) };
    await configureReleases(project, { streamSeconds, steps: "25%, 50%", settings });
    await project.result(["up"]);
    const load = project.startMixedLoad({
      ratePerSecond: 20,
      streamSeconds,
      slowMs: 2000,
      signal: stop.signal,
    });
    const driver = new RolloutDriver(project);
    const left = new Set(boundaries(router.capabilities.commit));
    while (left.size > 0 && driver.ended.length < 8) {
      let args = driver.begin();
      for (;;) {
        const at = new Set(
          [...left].flatMap((point) => [point.replace("SLOT", "blue"), point.replace("SLOT", "green")]),
        );
        const where = await driver.attempt(args, { at });
        if (where === undefined) break;
        left.delete(withoutSlot(where));
        const { rollout } = await driver.check(`killed at ${where}`);
        const sofar = load.snapshot();
        expect(sofar.failed, `killed at ${where}: ${project.explain(sofar)}`).toBe(0);
        if (rollout !== null) args = ["reconcile"];
        else if (await driver.hasEnded()) break;
      }
      await driver.noteEnd();
    }
    expect([...left]).toEqual([]);
    const report = await load.stop();
    expect(report.failed, project.explain(report)).toBe(0);
  } finally {
    stop.abort();
    await project.remove();
  }
}
