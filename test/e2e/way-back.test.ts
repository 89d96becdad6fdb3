import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { badReleases } from "./bad-releases.ts";
import { answers } from "./clients.ts";
import { Floor } from "./floor.ts";
import type { ModelProject } from "./model-project.ts";
import { releasedProject } from "./release-project.ts";
import { isSoak } from "./soak.ts";
import { expectBack, setup, waysBack } from "./ways-back.ts";

/**
 * A zoo of releases that go bad after they are live, each left by `rollback`, by a gate in the soak, by `switch` and by `abort`, from the
 * machine that released and from one that has only the kubeconfig.
 */

// Every way from every kind in the long run, one after the other, with the times; in the ordinary one every second kind, and each way.
const kinds = Object.keys(badReleases);
const ways = Object.keys(waysBack);
const pairs = kinds.flatMap((kind, at) =>
  ways.filter((_way, index) => isSoak || index === (at / 2) % ways.length).map((way) => [kind, way] as const),
);

/** A model, and the end of what was begun with it: half of the time is waiting, so two of them are worked with. */
interface Lane {
  project: ModelProject;
  last: Promise<unknown>;
}
const lanes: Lane[] = [];
let floor: Floor | undefined;
const times: string[] = [];

beforeAll(async () => {
  const names = isSoak ? ["back"] : ["back", "forth"];
  const projects = await Promise.all(names.map((name) => releasedProject(name, setup)));
  lanes.push(...projects.map((project) => ({ project, last: Promise.resolve() })));
  if (isSoak) floor = await Floor.create();
});

afterAll(async () => {
  await Promise.all([...lanes.map(({ project }) => project.remove()), floor?.remove()]);
  if (isSoak) process.stdout.write(`${times.join("\n")}\n`);
});

async function left(project: ModelProject, kind: string, way: string): Promise<void> {
  // Green may be what an earlier test left there.
  expect(new Set(await answers(project, 3))).toEqual(new Set(["1"]));
  const bad = badReleases[kind]?.(project);
  if (bad === undefined) throw new Error(`There is no kind "${kind}".`);
  try {
    const ms = await waysBack[way]?.({ project, bad });
    expect(new Set(await answers(project, 20))).toEqual(new Set(["1"]));
    await expectBack(project);
    if (floor !== undefined) times.push(inTable(kind, way, ms ?? 0, await floor.measure()));
  } finally {
    await bad.cure?.();
  }
}

/** For whoever reads it: this machine is busy with other things, too. */
function inTable(kind: string, way: string, ms: number, least: number): string {
  const column = (value: number) => `${String(Math.round(value)).padStart(6)} ms`;
  return `${column(ms)}, floor ${column(least)}, beyond it ${column(ms - least)}  ${kind}: ${way}`;
}

describe("a release that goes bad after it is live", () => {
  const each = isSoak ? test : test.concurrent;
  each.each(pairs)("%s: left by %s", async (kind, way) => {
    const index = pairs.findIndex((pair) => pair[0] === kind && pair[1] === way);
    const lane = lanes[index % lanes.length];
    if (lane === undefined) throw new Error("There is a lane.");
    const turn = lane.last.then(async () => {
      try {
        await left(lane.project, kind, way);
      } catch (error) {
        // What it has left is nothing for those after it.
        const { project } = lane;
        lane.project = await releasedProject("again", setup);
        await project.remove();
        throw error;
      }
    });
    lane.last = turn.catch(() => undefined);
    await turn;
  });
});
