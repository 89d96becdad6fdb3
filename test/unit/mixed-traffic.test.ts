import { expect, test } from "vitest";
import { checkStream, mixedTraffic } from "../e2e/mixed-traffic.ts";

const stream = (indices: readonly number[], of: number, version = "1") =>
  indices.map((index) => `id: ${index}\ndata: ${JSON.stringify({ version, index, of })}\n\n`).join("");

test("a stream counts when all of its events came, in order, from one version", () => {
  expect(checkStream(stream([1, 2, 3], 3), ["1"])).toEqual({ verdict: "valid", version: "1" });
});

test.each([
  ["cut off", stream([1, 2], 3), "after event 2 of 3"],
  ["with a gap", stream([1, 3], 3), "event 3 came after event 1"],
  ["empty", "", "no event"],
  ["of two versions", stream([1], 2) + stream([2], 2, "2"), "two versions"],
  ["of a version that nobody released", stream([1], 1, "7"), 'version "7"'],
  ["cut in the middle of an event", `${stream([1], 2)}data: {"version":"1","in`, "cannot be read"],
])("a stream %s is a failed request", (_what, body, reason) => {
  expect(checkStream(body, ["1", "2"])).toMatchObject({
    verdict: "invalid",
    reason: expect.stringContaining(reason),
  });
});

test("all kinds of requests are in the mix, each with patience for what it asks for", () => {
  const traffic = mixedTraffic({ versions: ["1"], streamSeconds: 60 });
  const paths = Array.from({ length: 80 }, (_, index) => traffic.path(index));
  const count = (start: string) => paths.filter((path) => path.startsWith(start)).length;
  expect([count("/stream?seconds=60"), count("/slow?ms=5000"), count("/v2/models/demo/infer")]).toEqual([
    1, 4, 75,
  ]);
  expect(traffic.timeoutMs(7)).toBe(90_000);
  expect(traffic.timeoutMs(3)).toBe(35_000);
  expect(traffic.check('{"version":"1","ms":5000}', 3)).toEqual({ verdict: "valid", version: "1" });
  expect(traffic.check("{}", 3)).toMatchObject({ verdict: "invalid" });
});
