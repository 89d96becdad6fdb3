/**
 * What a share of the new slot is compared with: `ratio x live's share + margin`. On or under the line is good for the fail line, on or
 * over it is bad for the bad line; between the two either verdict is right.
 */
export interface Line {
  /** Factor of live's share. 0: an absolute share. */
  readonly ratio: number;
  /** What is added to it, a share (0.001 is 0.1 points). */
  readonly margin: number;
}

/** The two lines of a metric. */
export interface Lines {
  /** Tolerated: on or under it a release is good. */
  readonly fail: Line;
  /** Must not be passed: on or over it a release is bad. At or above the fail line everywhere. */
  readonly bad: Line;
}

/** Errors: answers with 5xx, and broken ones. Tolerated to 1.25 x live + 0.1 points, bad from 2 x live + 0.4 points. */
export const errorLines: Lines = {
  fail: { ratio: 1.25, margin: 0.001 },
  bad: { ratio: 2, margin: 0.004 },
};

/** Answers slower than a bound. Tolerated to 1.25 x live + 0.5 points, bad from 2 x live + 2 points. */
export const slowLines: Lines = {
  fail: { ratio: 1.25, margin: 0.005 },
  bad: { ratio: 2, margin: 0.02 },
};

/** One bin of the predictions, in either direction: tolerated. */
export const driftLine: Line = { ratio: 1.25, margin: 0.005 };

/**
 * The same: from here on a bin is another one. Showing that all are under it is all that a comparison of predictions can show; it never shortens a
 * step.
 */
export const driftBadLine: Line = { ratio: 2, margin: 0.02 };

/** Disagreements of pairs: tolerated to the floor + 1 point, bad from the floor + 3 points. */
export const pairMargins = { fail: 0.01, bad: 0.03 } as const;

/** Chance that a release that is good is ever sent back by statistics, per release, at any number of looks. */
export const defaultAlpha = 0.05;

/** Chance that a step passes early a release that is on or over the bad line of some metric throughout that step. */
export const defaultBeta = 0.05;
