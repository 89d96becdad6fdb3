import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FakeClock } from "../../../test/support/rollout-bench.ts";
import { nginx } from "../../component/routers/nginx.ts";
import { plain } from "../../component/routers/plain.ts";
import { openInferenceIdentity } from "../../component/servers/shared.ts";
import { type Routing, settledOn } from "../../core/routing.ts";
import type { Endpoint } from "../observe/ingress-endpoints.ts";
import { encodeFields } from "./grpc-message.ts";
import { outcomeOf, probeHost, questionsFor } from "./identity-question.ts";
import type { Probe } from "./probe-request.ts";
import { advance, newLane, type ProbeOutcome, proofVerdict, untrueIdentity, viewsOf } from "./proof.ts";
import { type ProveOptions, prove } from "./prove.ts";

const identities = { blue: "1", green: "2" };
const endpoint: Endpoint = { protocol: "http", address: "192.0.2.1", port: 80, url: "http://192.0.2.1:80" };

describe("viewsOf", () => {
  test("with the preview header each side is forced", () => {
    expect(viewsOf(settledOn("blue"), identities, nginx.force)).toEqual([
      {
        name: "clients",
        previewHeader: undefined,
        expected: ["blue"],
        split: { blue: 100, green: 0 },
        rivals: [],
      },
      { name: "preview", previewHeader: "always", expected: ["green"], rivals: [] },
      { name: "main", previewHeader: "never", expected: ["blue"], rivals: [] },
    ]);
  });

  test("without a header only what clients see can be asked", () => {
    expect(viewsOf(settledOn("blue"), identities, plain.force).map(({ name }) => name)).toEqual(["clients"]);
  });

  test("while traffic is split, both may answer", () => {
    const [clients] = viewsOf({ main: "blue", candidate: "green", weight: 30 }, identities, plain.force);
    expect(clients?.expected).toEqual(["blue", "green"]);
  });

  test("a slot that nobody can recognise is not asked for", () => {
    expect(viewsOf(settledOn("blue"), { blue: "1" }, nginx.force).map(({ name }) => name)).toEqual([
      "clients",
      "main",
    ]);
  });
});

describe("an identity that is not true", () => {
  const seen = (answers: Readonly<Record<string, readonly (string | undefined)[]>>) => {
    const views = viewsOf(settledOn("blue"), identities, nginx.force);
    const lanes = views.map((view) =>
      (answers[view.name] ?? []).reduce(
        (lane, identity) => advance(lane, { kind: "answer", status: 200, identity }, identities),
        newLane(endpoint, view),
      ),
    );
    return untrueIdentity(proofVerdict(lanes, 2).evidence);
  };

  test("is seen where a slot only ever answers with one of neither slot", () => {
    const blue = { clients: ["1", "1"], main: ["1", "1"] };
    expect(seen({ ...blue, preview: ["1", undefined, "9", "9"] })).toEqual({ slot: "green", seen: "9" });
    expect(seen({ ...blue, preview: ["8", "9"] })).toBeUndefined();
    expect(seen({ ...blue, preview: ["9", "2"] })).toBeUndefined();
    expect(seen({ ...blue, preview: ["1", "1"] })).toBeUndefined();
  });

  test("of a slot that is asked in several ways, all must say the same", () => {
    expect(seen({ clients: ["7"], main: ["7"], preview: ["2"] })).toEqual({ slot: "blue", seen: "7" });
    expect(seen({ clients: ["7"], main: ["1"], preview: ["2"] })).toBeUndefined();
  });
});

describe("a lane", () => {
  const [view] = viewsOf(settledOn("blue"), identities, plain.force);
  if (view === undefined) throw new Error("there is a view");
  const answer = (identity: string | undefined, status = 200): ProbeOutcome => ({
    kind: "answer",
    status,
    identity,
  });
  const outcome = fc.constantFrom<ProbeOutcome>(answer("1"), answer("2"), answer(undefined, 503), {
    kind: "error",
    message: "ECONNREFUSED",
  });
  const limit: ProbeOutcome = {
    kind: "unanswered",
    status: 429,
    met: { kind: "limit", why: "HTTP 429, too many requests" },
  };

  test("what somebody limits counts for nothing, wherever it comes in between", () => {
    fc.assert(
      fc.property(fc.array(outcome), fc.array(fc.nat()), (outcomes, places) => {
        const laneOf = (all: readonly ProbeOutcome[]) =>
          all.reduce((at, one) => advance(at, one, identities), newLane(endpoint, view));
        const mixed = places.reduce(
          (all, place) => all.toSpliced(place % (all.length + 1), 0, limit),
          outcomes,
        );
        const { consecutive, scores, answers, strangers, unexpected } = laneOf(outcomes);
        expect(laneOf(mixed)).toMatchObject({ consecutive, scores, answers, strangers, unexpected });
      }),
    );
    const verdict = proofVerdict([advance(newLane(endpoint, view), limit, identities)], 1);
    expect(verdict).toMatchObject({
      state: "open",
      missing: [
        "http://192.0.2.1:80, as clients ask: blue expected, 0 answers seen so far; not answered, and not counted: 1 times HTTP 429, too many requests",
      ],
      advice: [expect.stringContaining("deadlines.proof")],
    });
  });

  test("counts only expected answers in a row", () => {
    fc.assert(
      fc.property(fc.array(outcome), fc.integer({ min: 1, max: 5 }), (outcomes, needed) => {
        const lane = outcomes.reduce((at, one) => advance(at, one, identities), newLane(endpoint, view));
        const lastBad = outcomes.findLastIndex((one) => one.kind !== "answer" || one.identity !== "1");
        expect(lane.consecutive).toBe(outcomes.length - 1 - lastBad);
        expect(proofVerdict([lane], needed).state).toBe(lane.consecutive >= needed ? "proved" : "open");
      }),
    );
  });

  test("keeps what was not expected as evidence", () => {
    const outcomes = [answer("2"), answer("2"), answer(undefined, 503), answer("9")];
    const lane = outcomes.reduce((at, one) => advance(at, one, identities), newLane(endpoint, view));
    const verdict = proofVerdict([lane], 10);
    expect(verdict).toMatchObject({
      state: "open",
      missing: [
        "http://192.0.2.1:80, as clients ask: blue expected, seen 2 times an answer of green (2), 1 times HTTP 503 without an identity, 1 times an answer of neither slot (9)",
      ],
    });
  });
});

describe("prove", () => {
  const other: Endpoint = { ...endpoint, address: "192.0.2.2", url: "http://192.0.2.2:80" };

  function options(
    probe: Probe,
    routing: Routing = settledOn("blue"),
  ): ProveOptions & { readonly clock: FakeClock } {
    return {
      endpoints: [endpoint, other],
      views: viewsOf(routing, identities, nginx.force),
      identities,
      identity: { path: "/version", from: { kind: "body" } },
      ingress: { host: "fraud.test" },
      previewHeader: "X-Preview",
      deadlineMs: 10_000,
      probe,
      clock: new FakeClock(),
      signal: new AbortController().signal,
      progress: () => undefined,
    };
  }

  const obedient: Probe = ({ headers }) =>
    Promise.resolve({ status: 200, headers: {}, body: headers["X-Preview"] === "always" ? "2" : "1" });

  test("asks every view at every address ten times", async () => {
    const asked: string[] = [];
    const verdict = await prove(
      options((request) => {
        asked.push(
          `${request.endpoint.address} ${request.headers["X-Preview"] ?? "-"} ${request.host}${request.path}`,
        );
        return obedient(request);
      }),
    );
    expect(verdict.state).toBe("proved");
    expect(asked).toHaveLength(60);
    expect(asked.filter((line) => line === "192.0.2.2 always fraud.test/version")).toHaveLength(10);
  });

  test("waits for an address that learns late", async () => {
    let asked = 0;
    const verdict = await prove(
      options((request) => {
        asked += 1;
        const late = request.endpoint === other && asked < 80;
        return late ? Promise.resolve({ status: 200, headers: {}, body: "2" }) : obedient(request);
      }),
    );
    expect(verdict.state).toBe("proved");
  });

  test("one address that never shows it is not outvoted by the other", async () => {
    const verdict = await prove(
      options((request) =>
        request.endpoint === other ? Promise.reject(new Error("ECONNREFUSED")) : obedient(request),
      ),
    );
    expect(verdict).toMatchObject({ state: "open" });
    if (verdict.state === "open") {
      expect(verdict.missing).toHaveLength(3);
      expect(verdict.missing[0]).toContain("times ECONNREFUSED");
    }
  });

  /** Of 100 requests of clients so many go to green, in turn; the preview header is obeyed. */
  function sharing(green: number): Probe {
    let turn = 0;
    return (request) => {
      if (request.headers["X-Preview"] !== undefined) return obedient(request);
      turn += green;
      const body = turn < 100 ? "1" : "2";
      turn %= 100;
      return Promise.resolve({ status: 200, headers: {}, body });
    };
  }

  const shares = (green: number): Routing => ({ main: "blue", candidate: "green", weight: green });
  const told = (declared: number, earlier: number, shown: number) => {
    const run = options(sharing(shown));
    const views = viewsOf(shares(declared), identities, nginx.force, [shares(earlier)]);
    return prove({ ...run, endpoints: [endpoint], views });
  };

  test.each([
    [25, 50],
    [50, 25],
    [0, 5],
    [100, 50],
    [5, 0],
  ])("a share of %i %% is told from one of %i %%", async (declared, earlier) => {
    expect((await told(declared, earlier, declared)).state).toBe("proved");
    const behind = await told(declared, earlier, earlier);
    expect(behind.state).toBe("open");
  });

  test("says how often each slot answered where a share is not seen", async () => {
    const verdict = await told(50, 25, 25);
    expect(verdict.state === "open" && verdict.missing).toEqual([
      expect.stringMatching(/50 % blue, 50 % green expected, seen \d+ times blue, \d+ times green$/),
    ]);
  });

  test("ends at its deadline", async () => {
    const run = options(() => Promise.resolve({ status: 503, headers: {}, body: "" }));
    const startedAt = run.clock.now();
    expect((await prove(run)).state).toBe("open");
    // Six lanes wait side by side on a clock that adds their pauses up.
    expect(run.clock.now() - startedAt).toBeLessThan(13_000);
  });

  test("an interruption is no observation", async () => {
    const stop = new AbortController();
    const run = prove({
      ...options(() => {
        stop.abort();
        return Promise.reject(new Error("aborted"));
      }),
      signal: stop.signal,
    });
    await expect(run).rejects.toMatchObject({ code: "interrupted" });
  });
});

describe("where a proof asks", () => {
  test("a wildcard host is asked by some label", () => {
    expect(probeHost("*.models.test")).toBe("modelswitch-proof.models.test");
    expect(probeHost("fraud.test")).toBe("fraud.test");
  });

  describe("over gRPC", () => {
    const identity = openInferenceIdentity("fraud");
    const grpc = { host: "h", protocol: "grpc" } as const;
    const answer = (headers: Record<string, string>, version?: string) => ({
      status: 200,
      headers,
      body: "",
      message: version === undefined ? undefined : encodeFields({ "1": "fraud", "2": version }),
    });

    test("a method is called where the identity names one and clients speak gRPC", () => {
      const path = "/inference.GRPCInferenceService/ModelMetadata";
      expect(questionsFor(grpc, identity)).toEqual([
        { host: "h", path, grpc: encodeFields({ "1": "fraud" }) },
      ]);
      expect(questionsFor({ host: "h" }, identity)).toEqual([{ host: "h", path: "/v2/models/fraud" }]);
      expect(questionsFor(grpc, { ...identity, grpc: undefined })[0]?.grpc).toBeUndefined();
      expect(() => questionsFor({ ...grpc, path: "/v2" }, identity)).toThrow(
        expect.objectContaining({ code: "identity-path-outside", message: expect.stringContaining(path) }),
      );
    });

    test("its answer shows the mark, unless the call failed", () => {
      const [question] = questionsFor(grpc, identity);
      if (question === undefined) throw new Error("no question");
      const ok = { "grpc-status": "0", "x-version": "7" };
      expect(outcomeOf(question, identity, answer(ok, "1.5"))).toMatchObject({ identity: "1.5" });
      const metadata = { method: "a.B/C", from: { kind: "metadata", name: "X-Version" } } as const;
      expect(outcomeOf(question, { ...identity, grpc: metadata }, answer(ok))).toMatchObject({
        identity: "7",
      });
      for (const unclear of [answer({}, "1.5"), answer(ok), answer(ok, "")])
        expect(outcomeOf(question, identity, unclear)).toMatchObject({ kind: "answer", identity: undefined });
      const failed = answer({ "grpc-status": "14", "grpc-message": "no%20pod" }, "1.5");
      expect(outcomeOf(question, identity, failed)).toEqual({
        kind: "error",
        message: "gRPC status 14: no pod",
      });
    });
  });
});
