/** A signal that never aborts, for what has to come to its end once it has begun. */
export const unstoppable: AbortSignal = new AbortController().signal;
