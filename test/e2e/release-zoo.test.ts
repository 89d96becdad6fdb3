import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildZooImage } from "../images/zoo-image.ts";
import { loadImage } from "./load-image.ts";
import { type Ended, Zoo } from "./release-zoo/driver.ts";
import { barelyWorse, kinds } from "./release-zoo/kinds.ts";
import { isSoak } from "./soak.ts";

let zoo: Zoo;
const ended: Ended[] = [];

beforeAll(async () => {
  await loadImage(await buildZooImage({ events: () => {}, signal: AbortSignal.timeout(280_000) }));
  zoo = await Zoo.create();
});

afterAll(async () => {
  for (const { kind, outcome, gate, phase, requests, seconds } of ended) {
    console.log(
      `${kind}: ${outcome}, ${gate === undefined ? "-" : `${gate} in ${phase}`}, ${requests} requests, ${seconds} s`,
    );
  }
  await zoo?.remove();
});

/** Bad ones first: those that complete are live afterwards. */
const shown = [
  ...kinds.filter(({ ending }) => ending.kind === "sent-back"),
  ...(isSoak ? [barelyWorse] : []),
  ...kinds.filter(({ ending }) => ending.kind === "completes"),
].filter(({ isOrdinary }) => isSoak || isOrdinary);

describe("a zoo of releases: each ends as it should, and no request of live's share fails", () => {
  test.each(shown.map((kind) => [kind.name, kind] as const))("%s", { timeout: 600_000 }, async (_, kind) => {
    ended.push(await zoo.release(kind));
    expect(ended.at(-1)?.kind).toBe(kind.name);
  });
});
