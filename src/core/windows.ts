import { changeBetween, readingAt } from "./wall-clock.ts";

/** Days of the week as the configuration has them, Monday first. */
export const weekdays = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof weekdays)[number];

/** A time of day in which traffic may move. Minutes since midnight on the clock of the schedule's time zone. */
export interface Window {
  /** The days on which it begins. */
  readonly days: readonly Weekday[];
  /** 0 to 1439. */
  readonly from: number;
  /** 1 to 1440; up to `from`: it ends on the next day. */
  readonly to: number;
}

/** A time in which traffic must not move, whatever the windows say. Milliseconds since the Unix epoch; `to` is over then. */
export interface Freeze {
  readonly from: number;
  readonly to: number;
  readonly reason: string;
}

/** When traffic may move. Without windows: always, but for the freezes. */
export interface Schedule {
  /** IANA name, for example `Europe/Berlin`. */
  readonly timeZone: string;
  readonly windows: readonly Window[];
  readonly freezes: readonly Freeze[];
}

export type WindowState =
  /** `until` is when that ends; `undefined`: not in sight. */
  | { readonly kind: "open"; readonly until: number | undefined }
  /** `opensAt`: when it is open again; `undefined`: not in sight. */
  | { readonly kind: "closed"; readonly reason: string; readonly opensAt: number | undefined };

const minuteMs = 60_000;
const dayMinutes = 1440;
/** All windows come round within a week; clocks that are put forward may take one of them away. */
const horizonMs = 15 * dayMinutes * minuteMs;

/**
 * Whether traffic may move. A window is open while the clocks of its time zone show a time in it: one that begins at 02:30 opens at
 * 03:00 on the night in which clocks are put forward from 02:00 to 03:00, and an hour that comes twice is in it twice. Pure.
 */
export function windowAt(schedule: Schedule, now: number): WindowState {
  const freeze = freezeAt(schedule, now);
  if (freeze !== undefined)
    return { kind: "closed", reason: `frozen: ${freeze.reason}`, opensAt: opening(schedule, now) };
  if (!inWindow(schedule, now)) {
    const reason = `outside of the windows: ${describeWindows(schedule)}`;
    return { kind: "closed", reason, opensAt: opening(schedule, now) };
  }
  const next = Math.min(...schedule.freezes.map(({ from }) => from).filter((from) => from > now));
  const closes = windowChange(schedule, now, Math.min(next, now + horizonMs));
  const until = closes ?? next;
  return { kind: "open", until: until === Number.POSITIVE_INFINITY ? undefined : until };
}

function freezeAt(schedule: Schedule, at: number): Freeze | undefined {
  return schedule.freezes.find(({ from, to }) => from <= at && at < to);
}

/** The first moment from `now` on at which traffic may move. */
function opening(schedule: Schedule, now: number): number | undefined {
  let at = now;
  for (;;) {
    const freeze = freezeAt(schedule, at);
    if (freeze !== undefined) at = freeze.to;
    else if (inWindow(schedule, at)) return at;
    else {
      const opens = windowChange(schedule, at, at + horizonMs);
      if (opens === undefined) return undefined;
      at = opens;
    }
  }
}

function inWindow({ windows, timeZone }: Schedule, at: number): boolean {
  if (windows.length === 0) return true;
  const { minute, weekday } = readingAt(timeZone, at);
  const begins = (window: Window, day: number) => window.days.some((name) => name === weekdays[day]);
  return windows.some((window) => {
    const { from, to } = window;
    if (to > from) return begins(window, weekday) && from <= minute && minute < to;
    return (begins(window, weekday) && from <= minute) || (begins(window, (weekday + 6) % 7) && minute < to);
  });
}

/** The first moment after `now` and before `limit` at which a closed window opens, or an open one closes. */
function windowChange(schedule: Schedule, now: number, limit: number): number | undefined {
  const { windows, timeZone } = schedule;
  if (windows.length === 0) return undefined;
  const edges = [...new Set([dayMinutes, ...windows.flatMap(({ from, to }) => [from, to])])];
  const isOpen = inWindow(schedule, now);
  let at = now;
  while (at < limit) {
    const { minute } = readingAt(timeZone, at);
    const past = at - Math.floor(at / minuteMs) * minuteMs;
    const wait = Math.min(...edges.map((edge) => (edge > minute ? edge - minute : dayMinutes)));
    const edge = at - past + wait * minuteMs;
    // Where clocks change before it, what they show changes there.
    at = changeBetween(timeZone, at, edge) ?? edge;
    if (at < limit && inWindow(schedule, at) !== isOpen) return at;
  }
  return undefined;
}

/** `mon-fri 09:00-16:00, sat 10:00-12:00 (Europe/Berlin)` */
export function describeWindows({ windows, timeZone }: Schedule): string {
  const clock = (minute: number) =>
    `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
  const texts = windows.map(({ days, from, to }) => {
    const hours = `${clock(from)}-${clock(to)}`;
    return days.length === weekdays.length ? hours : `${describeDays(days)} ${hours}`;
  });
  return `${texts.join(", ")} (${timeZone})`;
}

function describeDays(days: readonly Weekday[]): string {
  const numbers = weekdays.flatMap((day, index) => (days.includes(day) ? [index] : []));
  const [first = 0, last = 0] = [numbers[0], numbers.at(-1)];
  const isRange = numbers.length > 2 && last - first === numbers.length - 1;
  return isRange ? `${weekdays[first]}-${weekdays[last]}` : numbers.map((day) => weekdays[day]).join("+");
}
