import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verdicts } from "../core/calls.ts";
import type { OnInconclusive } from "../core/gates.ts";
import { combined, heard, longestHoldMs, nothingHeard, reasonOf, standing } from "./reduce.ts";

const said = (verdict: (typeof verdicts)[number], evidence = "x") => ({ verdict, evidence });

/** What a gate says as a whole after looks, a second apart. */
function wholeOf(looks: readonly (typeof verdicts)[number][], failures = 1) {
  const gate = { failures };
  const memory = looks.reduce(
    (at, verdict, index) => heard(gate, at, said(verdict), index * 1000),
    nothingHeard,
  );
  return standing(gate, memory, looks.length * 1000).verdict;
}

describe("a gate as a whole", () => {
  test.each([
    [[], 1, "hold"],
    [["pass"], 1, "pass"],
    [["fail"], 1, "fail"],
    [["pass", "fail"], 2, "hold"],
    [["pass", "fail", "fail"], 2, "fail"],
    [["fail", "pass", "fail"], 2, "hold"],
    [["fail", "inconclusive", "fail"], 2, "hold"],
    // What failed has failed.
    [["fail", "pass"], 1, "fail"],
    [["inconclusive"], 1, "hold"],
    [["inconclusive", "inconclusive", "inconclusive"], 1, "inconclusive"],
    [["inconclusive", "inconclusive", "inconclusive", "pass"], 1, "pass"],
    [["inconclusive", "hold", "inconclusive", "inconclusive"], 1, "hold"],
    [["hold", "hold", "hold", "hold"], 1, "hold"],
  ] as const)("after %j, with %i failures allowed in a row, says %s", (looks, failures, verdict) => {
    expect(wholeOf(looks, failures)).toBe(verdict);
  });

  test("has a day to make up its mind", () => {
    const gate = { failures: 1 };
    const memory = heard(gate, heard(gate, nothingHeard, said("hold"), 1_000), said("hold"), 5_000);
    expect(standing(gate, memory, 1_000 + longestHoldMs - 1).verdict).toBe("hold");
    const late = standing(gate, memory, 1_000 + longestHoldMs);
    expect(late.verdict).toBe("inconclusive");
    expect(late.evidence).toContain("has not decided for 24 hours: x");
  });

  test("fails exactly when enough looks in a row failed, whatever came before and comes later", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...verdicts), { maxLength: 12 }),
        fc.integer({ min: 1, max: 4 }),
        (looks, failures) => {
          const text = looks.map((verdict) => (verdict === "fail" ? "f" : ".")).join("");
          expect(wholeOf(looks, failures) === "fail").toBe(text.includes("f".repeat(failures)));
        },
      ),
    );
  });
});

describe("gates together", () => {
  const of = (...kinds: (typeof verdicts)[number][]) =>
    combined(
      kinds.map((kind, index) => ({ name: `g${index}`, onInconclusive: "hold", ...said(kind, kind) })),
    );

  test("pass only where all do", () => {
    expect(of().kind).toBe("pass");
    expect(of("pass", "pass").kind).toBe("pass");
    expect(of("pass", "hold").kind).toBe("hold");
    expect(of("pass", "inconclusive").kind).toBe("inconclusive");
    expect(of("inconclusive", "hold").kind).toBe("hold");
    expect(of("inconclusive", "hold", "fail").kind).toBe("fail");
  });

  test("go on past one that cannot tell and need not, which is never said to have passed", () => {
    const unclear = (onInconclusive: OnInconclusive) => ({
      name: onInconclusive,
      onInconclusive,
      ...said("inconclusive", "needs 20,100 requests"),
    });
    expect(combined([unclear("pass")])).toEqual({
      kind: "pass",
      onInconclusive: "hold",
      gates: [
        {
          name: "pass",
          verdict: "inconclusive",
          isLetPass: true,
          evidence: "not shown: needs 20,100 requests",
        },
      ],
    });
    expect(combined([unclear("pass"), unclear("hold")])).toMatchObject({
      kind: "inconclusive",
      onInconclusive: "hold",
    });
    expect(combined([unclear("hold"), unclear("back")])).toMatchObject({
      kind: "inconclusive",
      onInconclusive: "back",
    });
    expect(reasonOf(combined([unclear("pass"), unclear("back")]))).toBe("back: needs 20,100 requests");
  });

  test("say who is the reason", () => {
    expect(reasonOf(of("pass", "fail", "hold", "fail"))).toBe("g1: fail; g3: fail");
  });
});
