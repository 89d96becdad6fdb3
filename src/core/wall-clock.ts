const minuteMs = 60_000;
const dayMs = 86_400_000;

/** What clocks show in a time zone. */
export interface Reading {
  /** Minutes since midnight. */
  readonly minute: number;
  /** 0 is Monday. */
  readonly weekday: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formats.set(timeZone, made);
  return made;
}

/** Whether the time zone is known here. */
export function isTimeZone(name: string): boolean {
  try {
    formatOf(name);
    return true;
  } catch {
    return false;
  }
}

/** How far clocks in a time zone are ahead of UTC at a moment, milliseconds. */
export function offsetAt(timeZone: string, at: number): number {
  const parts = formatOf(timeZone).formatToParts(at);
  const part = (type: Intl.DateTimeFormatPartTypes) =>
    Number(parts.find((one) => one.type === type)?.value ?? 0);
  const shown = Date.UTC(
    part("year"),
    part("month") - 1,
    part("day"),
    part("hour"),
    part("minute"),
    part("second"),
  );
  return shown - Math.floor(at / 1000) * 1000;
}

/** What clocks in a time zone show at a moment. */
export function readingAt(timeZone: string, at: number): Reading {
  const shown = at + offsetAt(timeZone, at);
  const day = Math.floor(shown / dayMs);
  // The first of January 1970 was a Thursday.
  return { minute: Math.floor((shown - day * dayMs) / minuteMs), weekday: (((day + 3) % 7) + 7) % 7 };
}

/**
 * The moment at which clocks in a time zone show a time; `shown` is that time as if it were UTC. Where they show it twice: the `side`
 * that is asked for. Where they never do, since they are put forward: the moment at which that happens.
 */
export function momentOf(timeZone: string, shown: number, side: "first" | "last"): number {
  // Clocks are put forward or back once in two days, at the most.
  const before = offsetAt(timeZone, shown - dayMs);
  const after = offsetAt(timeZone, shown + dayMs);
  const [early, late] = [shown - Math.max(before, after), shown - Math.min(before, after)];
  const fitting = [early, late].filter((at) => at + offsetAt(timeZone, at) === shown);
  const found = side === "first" ? fitting[0] : fitting.at(-1);
  return found ?? changeBetween(timeZone, early - minuteMs, late + minuteMs) ?? late;
}

/** The moment at which clocks are put forward or back in a span of less than a day, to the minute; `undefined`: they are not. */
export function changeBetween(timeZone: string, from: number, to: number): number | undefined {
  const offset = offsetAt(timeZone, from);
  if (offsetAt(timeZone, to) === offset) return undefined;
  let [low, high] = [Math.floor(from / minuteMs), Math.ceil(to / minuteMs)];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(timeZone, middle * minuteMs) === offset) low = middle;
    else high = middle;
  }
  return high * minuteMs;
}
