/** What happened in one interval of a load run, by the time of the answer. */
export interface TimelineBucket {
  /** Valid answers by version. */
  readonly answers: Readonly<Record<string, number>>;
  readonly failed: number;
  /** Longest latency of an answer, milliseconds. */
  readonly maximumLatencyMs: number;
}

export interface TimelineReport {
  readonly bucketMs: number;
  readonly buckets: readonly TimelineBucket[];
}

interface MutableBucket {
  answers: Record<string, number>;
  failed: number;
  maximumLatencyMs: number;
}

/** Counts per interval. When it gets long, neighbours are merged: its memory is bounded. */
export class Timeline {
  #bucketMs: number;
  readonly #longest: number;
  #buckets: MutableBucket[] = [];

  constructor(bucketMs = 100, longest = 6000) {
    this.#bucketMs = bucketMs;
    this.#longest = longest;
  }

  answer(atMs: number, version: string, latencyMs: number): void {
    const bucket = this.#at(atMs);
    bucket.answers[version] = (bucket.answers[version] ?? 0) + 1;
    bucket.maximumLatencyMs = Math.max(bucket.maximumLatencyMs, latencyMs);
  }

  failure(atMs: number): void {
    this.#at(atMs).failed += 1;
  }

  report(): TimelineReport {
    return {
      bucketMs: this.#bucketMs,
      buckets: this.#buckets.map((bucket) => ({ ...bucket, answers: { ...bucket.answers } })),
    };
  }

  #at(atMs: number): MutableBucket {
    while (Math.floor(atMs / this.#bucketMs) >= this.#longest) this.#halve();
    const index = Math.max(0, Math.floor(atMs / this.#bucketMs));
    while (this.#buckets.length < index) this.#buckets.push(emptyBucket());
    const bucket = this.#buckets[index] ?? emptyBucket();
    this.#buckets[index] = bucket;
    return bucket;
  }

  #halve(): void {
    this.#bucketMs *= 2;
    const merged: MutableBucket[] = [];
    for (const [index, bucket] of this.#buckets.entries()) {
      const target = merged[Math.floor(index / 2)];
      if (target === undefined) {
        merged.push(bucket);
        continue;
      }
      for (const [version, count] of Object.entries(bucket.answers)) {
        target.answers[version] = (target.answers[version] ?? 0) + count;
      }
      target.failed += bucket.failed;
      target.maximumLatencyMs = Math.max(target.maximumLatencyMs, bucket.maximumLatencyMs);
    }
    this.#buckets = merged;
  }
}

function emptyBucket(): MutableBucket {
  return { answers: {}, failed: 0, maximumLatencyMs: 0 };
}
