import { expect, test } from "vitest";
import { templateConfig } from "../../../test/support/release-bench.ts";
import { testBench } from "../../../test/support/rollout-bench.ts";
import { interrupted } from "../../core/errors.ts";
import type { LeaseRequest } from "../lock/lease-requests.ts";
import { Hearing, unlessRecalled } from "./heard-requests.ts";

const abort: LeaseRequest = {
  id: "1",
  kind: "abort",
  to: "holder",
  by: "bob@desk",
  at: "2026-11-30T05:00:00Z",
};

/** A proof that comes only when it is ended. */
function endless(signal: AbortSignal): Promise<string> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(interrupted("A proof")), { once: true });
  });
}

test("a proof that does not come is ended by an abort, and by nothing else", async () => {
  const bench = testBench();
  const context = bench.context(templateConfig());
  let ask: (request: LeaseRequest) => void = () => undefined;
  const hearing = new Hearing({
    hear: (listener) => {
      ask = listener;
      return () => undefined;
    },
  });
  const proof = unlessRecalled(context, hearing, endless);
  ask({ ...abort, id: "0", kind: "look" });
  ask(abort);
  expect(await proof).toBeUndefined();
  hearing.take();
  expect(await unlessRecalled(context, hearing, () => Promise.resolve("proved"))).toEqual({
    result: "proved",
  });
});
