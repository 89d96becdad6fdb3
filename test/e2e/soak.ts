/**
 * Whether this is `npm run test:soak`. The ordinary run has each kind of case once, within its time; the long one has the others, too.
 */
export const isSoak = process.env.MODELSWITCH_TEST_SOAK === "1";

/** The first `count` of the cases in the ordinary run, all of them in the long one: so what tells most comes first. */
export function inTime<T>(count: number, cases: readonly T[]): readonly T[] {
  return isSoak ? cases : cases.slice(0, count);
}
