import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { badReleases } from "./bad-releases.ts";
import { answers } from "./clients.ts";
import type { ModelProject } from "./model-project.ts";
import { releasedProject } from "./release-project.ts";
import { expectBack, setup, waysBack } from "./ways-back.ts";

/**
 * A zoo of releases that go bad after they are live, each left by `rollback`, by a gate in the soak, by `switch` and by `abort`, from the
 * machine that released and from one that has only the kubeconfig.
 */

// Every way from every kind in the long run, one after the other, with the times; in the ordinary one each kind and each way.
const isLong = process.env.MODELSWITCH_TEST_SOAK === "1";
const kinds = Object.keys(badReleases);
const ways = Object.keys(waysBack);
const pairs = kinds.flatMap((kind, at) =>
  ways.filter((_way, index) => isLong || index === at % ways.length).map((way) => [kind, way] as const),
);

/** A model, and the end of what was begun with it: half of the time is waiting, so two of them are worked with. */
interface Lane {
  readonly project: ModelProject;
  last: Promise<unknown>;
}
const lanes: Lane[] = [];
const times: string[] = [];

beforeAll(async () => {
  const projects = await Promise.all(
    (isLong ? ["back"] : ["back", "forth"]).map((name) => releasedProject(name, setup)),
  );
  lanes.push(...projects.map((project) => ({ project, last: Promise.resolve() })));
});

afterAll(async () => {
  await Promise.all(lanes.map(({ project }) => project.remove()));
  if (isLong) process.stdout.write(`${times.join("\n")}\n`);
});

async function left(project: ModelProject, kind: string, way: string): Promise<void> {
  // Green may be what an earlier test left there.
  expect(new Set(await answers(project, 3))).toEqual(new Set(["1"]));
  const bad = badReleases[kind]?.(project);
  if (bad === undefined) throw new Error(`There is no kind "${kind}".`);
  try {
    const ms = await waysBack[way]?.({ project, bad });
    times.push(`${String(Math.round(ms ?? 0)).padStart(6)} ms  ${kind}: ${way}`);
    expect(new Set(await answers(project, 20))).toEqual(new Set(["1"]));
    await expectBack(project);
  } finally {
    await bad.cure?.();
  }
}

describe("a release that goes bad after it is live", () => {
  const each = isLong ? test : test.concurrent;
  each.each(pairs)("%s: left by %s", async (kind, way) => {
    const index = pairs.findIndex((pair) => pair[0] === kind && pair[1] === way);
    const lane = lanes[index % lanes.length];
    if (lane === undefined) throw new Error("There is a lane.");
    const turn = lane.last.then(() => left(lane.project, kind, way));
    lane.last = turn.catch(() => undefined);
    await turn;
  });
});
