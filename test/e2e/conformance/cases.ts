import { expect } from "vitest";
import type { Router, RouterCapabilities } from "../../../src/component/routers/router.ts";
import { otherSlot, type Slot, slots } from "../../../src/core/slots.ts";
import { faultPoints } from "../rollout-driver.ts";
import { until } from "../test-cluster.ts";
import { withinBinomial } from "./binomial.ts";
import { copiesAlone, copiesRefused } from "./copies.ts";
import { countedBy, countedByNobody } from "./counted.ts";
import type { Front } from "./fronts.ts";
import { releasedOverGrpc } from "./grpc.ts";
import { killedEverywhere } from "./kills.ts";
import { lackingFor } from "./matrix.ts";
import { restartedInShift } from "./restarts.ts";
import type { Stage } from "./stage.ts";
import { takenBack, testersAlone } from "./testers.ts";

/** One row of the matrix. */
export interface Case {
  readonly name: string;
  /** What the capability table has that the router lacks for it; `undefined`: it has to pass. */
  readonly lacking: (router: Router) => string | undefined;
  /** Whether it is only in `npm run test:soak`. @default no */
  readonly isLong?: (router: Router) => boolean;
  readonly run: (stage: Stage) => Promise<void>;
  /** Where the router can, but not every controller of its objects: what this one lacks, and that it is refused. @default every one can */
  readonly refusal?: {
    readonly lacking: (front: Front) => string | undefined;
    readonly show: (stage: Stage, lacking: string) => Promise<void>;
  };
}

const needing =
  (...needs: (keyof RouterCapabilities)[]) =>
  ({ capabilities, isForGrpc }: Router) =>
    isForGrpc ? "HTTP" : lackingFor(needs, capabilities);
const all = needing();
/** What a command does here it does alike behind every router of weights: two of them have it in the ordinary run. */
const isLikeAnother = ({ name, capabilities }: Router) =>
  capabilities.weights && name !== "nginx" && name !== "traefik";

/**
 * The same for every router, in the order of one model's life. What only some routers can is a case like any other, whose `lacking` names the
 * capability; it has to leave the model as it found it.
 */
export const cases: readonly Case[] = [
  {
    name: "the idle slot has no endpoints; clients are served, identity and proof are right",
    lacking: all,
    async run(stage) {
      expect(await stage.project.result(["up"])).toMatchObject({ live: "blue", proof: { state: "proved" } });
      expect(await stage.at()).toBe("1");
      if (stage.router.capabilities.header) expect(await stage.at("blue")).toBe("1");
    },
  },
  {
    name: "testers get the idle slot, and nobody else does",
    lacking: needing("weights", "testers"),
    run: testersAlone,
  },
  {
    name: "copies reach the idle slot, and clients get live's answers",
    lacking: needing("weights", "testers", "mirror", "mirrorPercent"),
    run: copiesAlone,
    refusal: { lacking: ({ lacks }) => lacks?.copies, show: copiesRefused },
  },
  {
    name: "taken back: testers get what everybody gets, no request fails",
    lacking: needing("weights", "testers"),
    run: takenBack,
  },
  {
    name: "killed (-9) in the first step, no request fails",
    lacking: all,
    run: (stage) =>
      stage.withoutFailure(async () => {
        const killed = await stage.project.command([...stage.release(), "--json"], {
          env: faultPoints(new Set([stage.front.killedAt])),
        });
        expect(killed.exitCode, `${killed.stdout}\n${killed.stderr}`).toBeNull();
        const { weights } = stage.router.capabilities;
        expect(await stage.split()).toEqual(
          weights ? { blue: 100 - stage.firstShare, green: stage.firstShare } : { blue: 0, green: 100 },
        );
      }),
  },
  {
    name: "a share within binomial bounds",
    lacking: needing("weights"),
    async run(stage) {
      const seen = await ask(stage, 400);
      expect([...new Set(seen)].toSorted()).toEqual(["1", "2"]);
      const share = seen.filter((version) => version === "2").length;
      expect(withinBinomial(share, seen.length, stage.firstShare / 100), `${share} of ${seen.length}`).toBe(
        true,
      );
    },
  },
  {
    name: "a preview of each slot",
    lacking: needing("weights", "header"),
    async run(stage) {
      for (const slot of slots)
        for (let index = 0; index < 10; index += 1) expect(await stage.at(slot)).toBe(stage.versionOf(slot));
    },
  },
  {
    name: "the controller's counters per slot",
    lacking: (router) => all(router) ?? (router.counters === undefined ? "counters" : undefined),
    refusal: { lacking: ({ lacks }) => lacks?.counters, show: countedByNobody },
    async run(stage) {
      // Traefik shows once more what it does not serve any more, and then forgets it.
      await countedBy(stage);
      const before = await countedBy(stage);
      const seen = await ask(stage, 100);
      const expected = (slot: Slot) =>
        before[slot] + seen.filter((version) => version === stage.versionOf(slot)).length;
      let now = before;
      await until(
        "everything is counted",
        async () => {
          now = await countedBy(stage);
          return slots.every((slot) => now[slot] >= expected(slot));
        },
        20_000,
      );
      expect(now).toEqual({ blue: expected("blue"), green: expected("green") });
    },
  },
  {
    name: "the next command goes on, and the controller is restarted meanwhile",
    lacking: all,
    async run(stage) {
      if (stage.router.capabilities.weights) return await restartedInShift(stage);
      // The one write has been made: nothing is left of a shift.
      expect(await stage.project.result(["reconcile"])).toMatchObject({ ended: "live", target: "green" });
      await settledOn(stage, "green");
    },
  },
  {
    name: "switch, no request fails",
    lacking: all,
    async run(stage) {
      await stage.withoutFailure(() => stage.project.result(["switch", "blue"]));
      await settledOn(stage, "blue");
    },
  },
  {
    name: "the live slot loses its endpoints: the way back",
    lacking: all,
    async run(stage) {
      await scale(stage, "blue", 0);
      const answer = () => stage.at().catch(() => "none");
      await until("clients get nothing of blue", async () => (await answer()) !== "1");
      expect(await stage.project.result(["switch", "green"])).toMatchObject({ target: "green" });
      await settledOn(stage, "green");
      await scale(stage, "blue", 2);
    },
  },
  {
    name: "rollback, no request fails",
    isLong: isLikeAnother,
    lacking: all,
    async run(stage) {
      await stage.withoutFailure(() => stage.project.result(["rollback"]));
      await settledOn(stage, "blue");
    },
  },
  {
    name: "abort in a share, no request fails",
    isLong: ({ name }) => name !== "traefik",
    lacking: needing("weights"),
    async run(stage) {
      await stage.withoutFailure(async () => {
        const releasing = stage.project.command([...stage.release(), "--steps", "25%:10m", "--json"]);
        await until("green has a quarter", async () => (await stage.split()).green === 25, 240_000);
        await until("clients get green", async () => (await stage.at()) === "2");
        await stage.project.result(["abort"]);
        await releasing;
      });
      await settledOn(stage, "blue");
      expect(await stage.project.result(["history"])).toMatchObject({
        rollouts: expect.arrayContaining([expect.objectContaining({ outcome: "aborted" })]),
      });
    },
  },
  {
    name: "killed (-9) at every boundary, no request fails",
    lacking: needing("weights"),
    isLong: () => true,
    run: killedEverywhere,
  },
  {
    name: "gRPC: released and rolled back, no call fails",
    lacking: ({ capabilities }) => lackingFor(["backendProtocol"], capabilities),
    // `grpc.test.ts` has it behind the cluster's own controller.
    isLong: ({ isForGrpc }) => !isForGrpc,
    run: releasedOverGrpc,
  },
  {
    name: "nothing is left to do, and nothing is left after `destroy`",
    lacking: all,
    async run(stage) {
      const { router, changedByHand } = await stage.project.result(["status"]);
      expect({ router, changedByHand }).toEqual({ router: stage.front.router, changedByHand: [] });
      expect(await stage.project.result(["plan"])).toMatchObject({ changes: [] });
      await stage.project.result(["destroy", "--yes"]);
      // An Envoy whose last route is gone does not even listen any more.
      const nobody = () => stage.at().catch(() => "status 404");
      await until("nobody answers", async () => (await nobody()) === "status 404");
    },
  },
];

/** So many requests of clients, some at the same time. */
async function ask(stage: Stage, count: number): Promise<string[]> {
  const seen: string[] = [];
  const asking = async () => {
    for (let index = 0; index < count / 10; index += 1) seen.push(await stage.at());
  };
  await Promise.all(Array.from({ length: 10 }, asking));
  return seen;
}

/** All clients get this slot, and each slot can be previewed where the router can and it runs. */
async function settledOn(stage: Stage, slot: Slot): Promise<void> {
  stage.live = slot;
  expect(await stage.split()).toEqual({ [slot]: 100, [otherSlot(slot)]: 0 });
  for (let index = 0; index < 5; index += 1) expect(await stage.at()).toBe(stage.versionOf(slot));
  if (stage.router.capabilities.header) expect(await stage.at(slot)).toBe(stage.versionOf(slot));
}

/** As somebody does by hand, or a cluster that loses its nodes. */
async function scale({ project: { namespace } }: Stage, slot: Slot, replicas: number): Promise<void> {
  const path = `/apis/apps/v1/namespaces/${namespace.name}/deployments/fraud-${slot}/scale`;
  await namespace.api.json({
    method: "PATCH",
    path,
    headers: { "content-type": "application/merge-patch+json" },
    body: { spec: { replicas } },
  });
  if (replicas > 0) await namespace.untilReady(`fraud-${slot}`, replicas);
}
