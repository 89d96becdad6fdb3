import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { momentOf, readingAt } from "./wall-clock.ts";
import { describeWindows, type Schedule, type Window, weekdays, windowAt } from "./windows.ts";

const hour = 3_600_000;
const day = 24 * hour;
const working: Window = { days: ["mon", "tue", "wed", "thu", "fri"], from: 540, to: 960 };
const berlin: Schedule = { timeZone: "Europe/Berlin", windows: [working], freezes: [] };

const at = (text: string) => Date.parse(text);

describe("a window", () => {
  test("is open at its times on its days, by the clocks of its time zone", () => {
    expect(windowAt(berlin, at("2026-11-25T07:59:59.999Z"))).toEqual({
      kind: "closed",
      reason: "outside of the windows: mon-fri 09:00-16:00 (Europe/Berlin)",
      opensAt: at("2026-11-25T08:00:00Z"),
    });
    expect(windowAt(berlin, at("2026-11-25T08:00:00Z"))).toEqual({
      kind: "open",
      until: at("2026-11-25T15:00:00Z"),
    });
    expect(windowAt(berlin, at("2026-11-25T15:00:00Z"))).toMatchObject({
      kind: "closed",
      opensAt: at("2026-11-26T08:00:00Z"),
    });
    // In summer the clocks there are two hours ahead.
    expect(windowAt(berlin, at("2026-07-01T07:00:00Z"))).toMatchObject({ kind: "open" });
  });

  test("opens on Monday for whoever comes on Friday evening", () => {
    expect(windowAt(berlin, at("2026-11-27T18:00:00Z"))).toMatchObject({
      opensAt: at("2026-11-30T08:00:00Z"),
    });
  });

  test("may go on past midnight, on the days on which it begins", () => {
    const night: Schedule = {
      timeZone: "UTC",
      windows: [{ days: ["fri"], from: 1320, to: 120 }],
      freezes: [],
    };
    expect(windowAt(night, at("2026-11-27T22:00:00Z"))).toEqual({
      kind: "open",
      until: at("2026-11-28T02:00:00Z"),
    });
    expect(windowAt(night, at("2026-11-28T01:59:59Z"))).toMatchObject({ kind: "open" });
    expect(windowAt(night, at("2026-11-28T22:30:00Z"))).toMatchObject({
      kind: "closed",
      opensAt: at("2026-12-04T22:00:00Z"),
    });
    expect(windowAt(night, at("2026-11-27T01:00:00Z"))).toMatchObject({ kind: "closed" });
  });

  test("that meets another one is open until the end of the other", () => {
    const twice: Schedule = {
      timeZone: "UTC",
      windows: [
        { days: ["mon"], from: 540, to: 1440 },
        { days: ["tue"], from: 0, to: 300 },
        { days: ["tue"], from: 240, to: 420 },
      ],
      freezes: [],
    };
    expect(windowAt(twice, at("2026-11-23T10:00:00Z"))).toEqual({
      kind: "open",
      until: at("2026-11-24T07:00:00Z"),
    });
    const always: Schedule = { ...twice, windows: [{ days: weekdays, from: 0, to: 1440 }] };
    expect(windowAt(always, at("2026-11-23T10:00:00Z"))).toEqual({ kind: "open", until: undefined });
  });

  test("is there on the nights in which clocks change", () => {
    const early: Schedule = {
      timeZone: "Europe/Berlin",
      windows: [{ days: weekdays, from: 150, to: 240 }],
      freezes: [],
    };
    // 02:00 is followed by 03:00: a window from 02:30 opens with that.
    expect(windowAt(early, at("2026-03-29T00:30:00Z"))).toMatchObject({
      kind: "closed",
      opensAt: at("2026-03-29T01:00:00Z"),
    });
    expect(windowAt(early, at("2026-03-29T01:30:00Z"))).toEqual({
      kind: "open",
      until: at("2026-03-29T02:00:00Z"),
    });
    // 03:00 is followed by 02:00: what lies between comes twice.
    const twice: Schedule = { ...early, windows: [{ days: weekdays, from: 135, to: 165 }] };
    expect(windowAt(twice, at("2026-10-25T00:15:00Z"))).toEqual({
      kind: "open",
      until: at("2026-10-25T00:45:00Z"),
    });
    expect(windowAt(twice, at("2026-10-25T00:45:00Z"))).toMatchObject({
      kind: "closed",
      opensAt: at("2026-10-25T01:15:00Z"),
    });
    // One that is open all day is an hour longer then.
    const sunday: Schedule = { ...early, windows: [{ days: ["sun"], from: 0, to: 1440 }] };
    const open = windowAt(sunday, at("2026-10-24T22:00:00Z"));
    expect(open).toEqual({ kind: "open", until: at("2026-10-24T22:00:00Z") + 25 * hour });
  });

  test("that clocks leave out on one night opens on the next day", () => {
    const lost: Schedule = {
      timeZone: "America/New_York",
      windows: [{ days: weekdays, from: 135, to: 165 }],
      freezes: [],
    };
    expect(windowAt(lost, at("2026-03-08T06:59:00Z"))).toMatchObject({
      kind: "closed",
      opensAt: at("2026-03-09T06:15:00Z"),
    });
  });
});

describe("a freeze", () => {
  const frozen: Schedule = {
    ...berlin,
    freezes: [
      { from: at("2026-12-20T23:00:00Z"), to: at("2027-01-02T23:00:00Z"), reason: "holidays" },
      { from: at("2027-01-02T23:00:00Z"), to: at("2027-01-04T10:00:00Z"), reason: "inventory" },
    ],
  };

  test("closes the windows, and says why", () => {
    expect(windowAt(frozen, at("2026-12-22T09:00:00Z"))).toEqual({
      kind: "closed",
      reason: "frozen: holidays",
      // Monday, after the second one.
      opensAt: at("2027-01-04T10:00:00Z"),
    });
    expect(windowAt({ ...frozen, windows: [] }, at("2026-12-20T22:59:00Z"))).toEqual({
      kind: "open",
      until: at("2026-12-20T23:00:00Z"),
    });
  });

  test("ends what is open", () => {
    const short: Schedule = {
      ...berlin,
      freezes: [{ from: at("2026-11-25T12:00:00Z"), to: at("2026-11-25T13:00:00Z"), reason: "audit" }],
    };
    expect(windowAt(short, at("2026-11-25T09:00:00Z"))).toEqual({
      kind: "open",
      until: at("2026-11-25T12:00:00Z"),
    });
    expect(windowAt(short, at("2026-11-25T12:30:00Z"))).toMatchObject({
      opensAt: at("2026-11-25T13:00:00Z"),
    });
  });

  test("of many years is no matter", () => {
    const long: Schedule = {
      ...berlin,
      freezes: [{ from: 0, to: at("2126-01-01T00:00:00Z"), reason: "end" }],
    };
    expect(windowAt(long, at("2026-11-25T09:00:00Z"))).toMatchObject({
      kind: "closed",
      opensAt: at("2126-01-01T08:00:00Z"),
    });
  });
});

const zones = [
  "UTC",
  "Europe/Berlin",
  "America/New_York",
  "Asia/Kolkata",
  "Australia/Lord_Howe",
  "Pacific/Apia",
];
const anyWindow: fc.Arbitrary<Window> = fc
  .record({
    days: fc.subarray([...weekdays], { minLength: 1 }),
    from: fc.integer({ min: 0, max: 1439 }),
    to: fc.integer({ min: 1, max: 1440 }),
  })
  .filter(({ from, to }) => from !== to);
const anyMoment = fc.integer({ min: at("2026-01-01T00:00:00Z"), max: at("2027-12-31T00:00:00Z") });
const anySchedule: fc.Arbitrary<Schedule> = fc.record({
  timeZone: fc.constantFrom(...zones),
  windows: fc.array(anyWindow, { maxLength: 3 }),
  freezes: fc.array(
    fc.record({ from: anyMoment, length: fc.integer({ min: 1, max: 20 * day }) }).map(({ from, length }) => ({
      from,
      to: from + length,
      reason: "x",
    })),
    { maxLength: 3 },
  ),
});

/** What is open is said here in another way: by what clocks show at each minute. */
function isOpen({ timeZone, windows, freezes }: Schedule, moment: number): boolean {
  if (freezes.some(({ from, to }) => moment >= from && moment < to)) return false;
  const shown = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(moment);
  const [name = "", time = ""] = shown.toLowerCase().split(" ");
  const [hours, minutes] = time.split(":").map(Number);
  const minute = (hours ?? 0) * 60 + (minutes ?? 0);
  const before = weekdays[(weekdays.map(String).indexOf(name) + 6) % 7];
  const names: readonly string[] = [name];
  return (
    windows.length === 0 ||
    windows.some(({ days, from, to }) =>
      to > from
        ? days.some((one) => names.includes(one)) && minute >= from && minute < to
        : (days.some((one) => names.includes(one)) && minute >= from) ||
          (days.some((one) => one === before) && minute < to),
    )
  );
}

describe("any schedule", () => {
  test("is open exactly when clocks and calendar say so", () => {
    fc.assert(
      fc.property(anySchedule, anyMoment, (schedule, now) => {
        expect(windowAt(schedule, now).kind === "open").toBe(isOpen(schedule, now));
      }),
      { numRuns: 500 },
    );
  });

  test("changes when it says that it does, and not before", () => {
    fc.assert(
      fc.property(
        anySchedule,
        anyMoment,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (schedule, now, part) => {
          const state = windowAt(schedule, now);
          const change = state.kind === "open" ? state.until : state.opensAt;
          if (change === undefined) return;
          expect(change).toBeGreaterThan(now);
          expect(windowAt(schedule, change).kind).not.toBe(state.kind);
          const between = Math.floor(now + (change - now) * part);
          if (between < change) expect(windowAt(schedule, between).kind).toBe(state.kind);
          expect(windowAt(schedule, change - 1).kind).toBe(state.kind);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("opens at some time", () => {
    fc.assert(
      fc.property(anySchedule, anyMoment, (schedule, now) => {
        const state = windowAt(schedule, now);
        if (state.kind === "closed") expect(state.opensAt).toBeDefined();
      }),
      { numRuns: 200 },
    );
  });
});

test("the moment at which clocks show a time is found, and they show it then", () => {
  fc.assert(
    fc.property(fc.constantFrom(...zones), anyMoment, (zone, moment) => {
      const shown = Math.floor(moment / 60_000) * 60_000;
      const [first, last] = [momentOf(zone, shown, "first"), momentOf(zone, shown, "last")];
      expect(first).toBeLessThanOrEqual(last);
      const wanted = Math.floor((shown % day) / 60_000);
      const isShown = readingAt(zone, first).minute === wanted;
      // Clocks that are put forward leave times out.
      if (isShown) expect(readingAt(zone, last).minute).toBe(wanted);
      else expect(readingAt(zone, first - 60_000).minute).not.toBe(readingAt(zone, first).minute - 1);
    }),
    { numRuns: 500 },
  );
});

test("windows are described as people write them", () => {
  const windows: Window[] = [
    working,
    { days: ["sat"], from: 600, to: 720 },
    { days: ["mon", "wed"], from: 0, to: 1440 },
    { days: weekdays, from: 1320, to: 60 },
  ];
  expect(describeWindows({ timeZone: "UTC", windows, freezes: [] })).toBe(
    "mon-fri 09:00-16:00, sat 10:00-12:00, mon+wed 00:00-24:00, 22:00-01:00 (UTC)",
  );
});
