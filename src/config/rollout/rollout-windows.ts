import { z } from "zod";
import { defaults } from "../../core/defaults.ts";
import { didYouMean } from "../../core/nearest.ts";
import { isTimeZone, momentOf } from "../../core/wall-clock.ts";
import { type Schedule, type Weekday, type Window, weekdays } from "../../core/windows.ts";
import { otherwise } from "../parts/schema-parts.ts";
import type { FreezeConfig, RolloutConfig, WindowConfig } from "./rollout-types.ts";

/** The shapes of `rollout.windows`, `freezes` and `timeZone`. */

const dayMs = 86_400_000;

const clock = (about: string, latest: string) =>
  z
    .string()
    .refine((value) => minutesOf(value) !== undefined, {
      error: ({ input }) =>
        `"${String(input)}" is no time of day; write for example "09:00", up to "${latest}"`,
    })
    .describe(about);

const range = /^(mon|tue|wed|thu|fri|sat|sun)-(mon|tue|wed|thu|fri|sat|sun)$/;

/** What `daysOf` reads. */
type WrittenDays = Extract<NonNullable<WindowConfig["days"]>, string>;

const days = z
  .union([
    z.string().refine((value) => daysOf(value) !== undefined, {
      error: ({ input }) => wrongDays(String(input)),
    }) as unknown as z.ZodType<WrittenDays>,
    z.array(z.enum(weekdays)).min(1),
  ])
  .describe("The days on which it begins: mon-fri, sat, or a list. Default: every day");

export const windowsSchema = z
  .array(
    z.strictObject({
      days: days.optional(),
      from: clock("Time of day at which it opens, for example 09:00", "23:59"),
      to: clock("Time of day at which it closes; before `from`: on the next day", "24:00"),
    }),
  )
  .min(1)
  .describe("When traffic may move. Default: always");

const moment = (about: string) =>
  z
    .string()
    .refine((value) => parseMoment(value) !== undefined, {
      error: ({ input }) =>
        `"${String(input)}" is no date; write for example "2026-12-20", "2026-12-20T18:00" or "2026-12-20T18:00Z"`,
    })
    .describe(about);

export const freezesSchema = z
  .array(
    z.strictObject({
      from: moment("Date or date and time at which it begins"),
      to: moment("Date, which is in it to its end, or date and time at which it is over"),
      reason: z.string().min(1).describe("Said to whoever waits"),
    }),
  )
  .describe("When traffic must not move, whatever the windows say. Default: never");

export const timeZoneSchema = z
  .string()
  .refine(isTimeZone, { error: ({ input }) => wrongTimeZone(String(input)) })
  .describe(
    `IANA time zone of windows and freezes, for example Europe/Berlin. ${otherwise(defaults.rollout.timeZone)}`,
  );

function wrongTimeZone(name: string): string {
  const known = Intl.supportedValuesOf("timeZone");
  // People write the city alone, or the country.
  const ofCity = known.find((zone) => zone.toLowerCase().endsWith(`/${name.toLowerCase()}`));
  const meant = ofCity === undefined ? didYouMean(name, known) : `; did you mean "${ofCity}"?`;
  return `"${name}" is no time zone${meant === "" ? "; write for example Europe/Berlin" : meant}`;
}

function wrongDays(value: string): string {
  const written = value.toLowerCase().trim();
  const short = written.replace(/([a-z]{3})[a-z]*/g, "$1").replace(/\s*(?:-|–|to)\s*/g, "-");
  const ranges = weekdays.flatMap((first) => weekdays.map((last) => `${first}-${last}`));
  const meant =
    daysOf(short) === undefined ? didYouMean(value, [...ranges, ...weekdays]) : `; did you mean "${short}"?`;
  const example = meant === "" ? '; write for example "mon-fri", "sat" or ["mon", "wed"]' : meant;
  return `"${value}" names no days${example}`;
}

function daysOf(value: string): Weekday[] | undefined {
  const single = weekdays.find((day) => day === value);
  if (single !== undefined) return [single];
  const match = range.exec(value);
  if (match === null) return undefined;
  const index = (name: string | undefined) => weekdays.indexOf(name as Weekday);
  const [first, last] = [index(match[1]), index(match[2])];
  return weekdays.filter((_day, at) =>
    first <= last ? first <= at && at <= last : at >= first || at <= last,
  );
}

/** Minutes since midnight of `09:00`; `undefined`: it is no time of day. */
export function minutesOf(value: string): number | undefined {
  const match = /^(\d{1,2}):(\d{2})$/.exec(value);
  if (match === null) return undefined;
  const minutes = Number(match[1]) * 60 + Number(match[2]);
  return Number(match[2]) < 60 && minutes <= 1440 ? minutes : undefined;
}

interface Moment {
  /** As if it were UTC, unless `isExact`. */
  readonly shown: number;
  readonly isExact: boolean;
  readonly isDay: boolean;
}

/** A date, a date and time, or one with its distance to UTC. */
function parseMoment(value: string): Moment | undefined {
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(Z|[+-]\d{2}:\d{2})?)?$/.exec(value);
  if (match === null) return undefined;
  const [, day = "", time, zone] = match;
  const midnight = Date.parse(`${day}T00:00:00Z`);
  // 2026-02-30 is no day.
  if (Number.isNaN(midnight) || new Date(midnight).toISOString().slice(0, 10) !== day) return undefined;
  const shown = Date.parse(`${day}T${time ?? "00:00"}${zone ?? "Z"}`);
  if (Number.isNaN(shown)) return undefined;
  return { shown, isExact: zone !== undefined, isDay: time === undefined };
}

/** When a freeze begins and is over, milliseconds since the Unix epoch; `undefined`: one of them is no date. */
export function freezeSpan(
  { from, to }: Pick<FreezeConfig, "from" | "to">,
  timeZone: string,
): { readonly from: number; readonly to: number } | undefined {
  const [begin, end] = [parseMoment(from), parseMoment(to)];
  if (begin === undefined || end === undefined) return undefined;
  return {
    from: begin.isExact ? begin.shown : momentOf(timeZone, begin.shown, "first"),
    to: end.isExact ? end.shown : momentOf(timeZone, end.shown + (end.isDay ? dayMs : 0), "last"),
  };
}

function windowOf({ days, from, to }: WindowConfig): Window {
  const named = typeof days === "string" ? daysOf(days) : days;
  return { days: named ?? weekdays, from: minutesOf(from) ?? 0, to: minutesOf(to) ?? 1440 };
}

/** Pure; what it is given was checked. */
export function resolveSchedule({
  windows = [],
  freezes = [],
  timeZone = defaults.rollout.timeZone,
}: RolloutConfig): Schedule {
  return {
    timeZone,
    windows: windows.map(windowOf),
    freezes: freezes.flatMap((freeze) => {
      const span = freezeSpan(freeze, timeZone);
      return span === undefined ? [] : [{ ...span, reason: freeze.reason }];
    }),
  };
}
