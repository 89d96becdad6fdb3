import { describe, expect, test } from "vitest";
import type { Head } from "./head.ts";
import { type Copies, type LocalCopy, whichCopy, withoutSecret } from "./which-copy.ts";

const saved = {
  set: "a",
  parts: 1,
  sha256: "x",
  bytes: 1,
  packedBytes: 1,
  serial: 3,
  by: "ada",
  at: "",
} as const;
const head = (changes: Partial<Head> = {}): Head => ({
  version: 1,
  id: "one",
  project: "modelswitch-fraud",
  stack: "ml",
  serial: 3,
  token: "t3",
  by: "ada@laptop",
  at: "2026-11-23T08:00:00Z",
  open: false,
  stale: false,
  saved,
  ...changes,
});
/** A copy after these operations. */
const local = (...serials: readonly number[]): LocalCopy => ({
  id: "one",
  operations: serials.map((serial) => ({ serial, token: `t${serial}` })),
});
const open = { serial: 4, token: "t4", open: true } as const;

const rows: readonly (readonly [string, Partial<Copies>, string, boolean, string])[] = [
  ["there is nothing at all", { head: undefined }, "nothing", false, "new"],
  [
    "the Secret is gone, as the record knows",
    { head: undefined, isRecorded: true },
    "nothing",
    false,
    "deleted",
  ],
  ["the model was destroyed from elsewhere", { head: undefined, local: local(3) }, "nothing", false, "new"],
  ["this machine has none", { local: undefined }, "secret", false, "usual"],
  ["this machine wrote last", { local: local(2, 3) }, "secret", false, "usual"],
  ["somebody else wrote since", { local: local(1, 2) }, "secret", false, "usual"],
  ["nothing was written yet", { head: head({ saved: undefined }) }, "nothing", false, "usual"],
  ["this machine was killed", { head: head(open), local: local(3, 4) }, "local", false, "killed-here"],
  ["another machine was killed", { head: head(open), local: local(3) }, "secret", true, "killed-elsewhere"],
  [
    "another was killed, and this one knows nothing",
    { head: head(open) },
    "secret",
    true,
    "killed-elsewhere",
  ],
  [
    "another was killed at the very first operation",
    { head: head({ ...open, saved: undefined }) },
    "nothing",
    false,
    "killed-elsewhere",
  ],
  [
    "this machine was killed, and another took over since",
    { head: head({ serial: 5, token: "t5" }), local: local(3, 4) },
    "secret",
    false,
    "usual",
  ],
  [
    "this machine was killed, and so was the one that took over",
    { head: head({ serial: 5, token: "t5", open: true }), local: local(3, 4) },
    "secret",
    true,
    "killed-elsewhere",
  ],
  [
    "two copies went different ways with one serial",
    { head: head({ ...open, token: "other" }), local: local(3, 4) },
    "secret",
    true,
    "killed-elsewhere",
  ],
  ["what was taken over is not known yet", { head: head({ stale: true }) }, "secret", true, "stale"],
  [
    "an older Secret was put back, and this machine went on from that one",
    { isForeign: true, local: local(3, 4, 5) },
    "local",
    true,
    "rolled-back",
  ],
  [
    "the same, and nothing shows who wrote it",
    { isForeign: false, local: local(3, 4, 5) },
    "local",
    true,
    "rolled-back",
  ],
  [
    "an older Secret was put back, and this machine knows nothing of it",
    { isForeign: true, local: local(1) },
    "secret",
    true,
    "rolled-back",
  ],
  [
    "what this machine wrote last was put back: others may have written since",
    { isForeign: true, local: local(3) },
    "secret",
    true,
    "rolled-back",
  ],
  ["the state began anew since", { head: head({ id: "two" }), local: local(3) }, "secret", false, "usual"],
  [
    "the state began anew, and its operation has the same name",
    { head: head({ id: "two", ...open }), local: local(3, 4) },
    "secret",
    true,
    "killed-elsewhere",
  ],
];

describe("which copy of a state is gone on from", () => {
  test.each(rows)("where %s", (_case, given, from, refresh, why) => {
    const copies: Copies = { head: head(), isForeign: false, local: undefined, ...given };
    expect(whichCopy(copies)).toEqual({ from, refresh, why });
  });

  test("where the Secret's parts are lost, only a copy that descends from the head's operation counts", () => {
    const of = (copy: LocalCopy | undefined) => withoutSecret({ head: head(), local: copy }).from;
    expect(of(local(2, 3))).toBe("local");
    expect(of(local(3, 4))).toBe("local");
    expect(of(local(1, 2))).toBe("nothing");
    expect(of(undefined)).toBe("nothing");
  });
});
