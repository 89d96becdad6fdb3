import { exitCodes, UserError } from "../../../../src/support.ts";

/**
 * Runs work whose parts run at the same time. A part is handed to `also` as soon as it starts; the first part that fails
 * aborts the signal of all, and the call rejects with that failure once every part has ended, so nothing goes on behind it.
 */
export async function together<T>(
  outer: AbortSignal,
  work: (signal: AbortSignal, also: <P>(part: Promise<P>) => Promise<P>) => Promise<T>,
): Promise<T> {
  const failure = new AbortController();
  const parts: Promise<unknown>[] = [];
  const failures: unknown[] = [];
  const also = <P>(part: Promise<P>): Promise<P> => {
    parts.push(
      part.catch((error: unknown) => {
        failures.push(error);
        failure.abort();
      }),
    );
    return part;
  };
  const result = also(work(AbortSignal.any([outer, failure.signal]), also));
  // Parts may hand in further parts while they run.
  for (let settled = 0; settled < parts.length; ) {
    settled = parts.length;
    await Promise.all(parts);
  }
  if (failures.length > 0) throw failures.find((error) => !isInterruption(error)) ?? failures[0];
  return result;
}

/** Parts that were stopped because another failed are not the cause. */
function isInterruption(error: unknown): boolean {
  if (error instanceof UserError) return error.exitCode === exitCodes.interrupted;
  return error instanceof Error && error.name === "AbortError";
}
