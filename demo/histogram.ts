export interface LatencySummary {
  readonly count: number;
  /** Milliseconds; all 0 when nothing was recorded. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly maximum: number;
  readonly mean: number;
}

const smallest = 0.01;
const growth = 1.02;
const bucketCount = Math.ceil(Math.log(1e8) / Math.log(growth)) + 1;

/**
 * Counts of durations in logarithmic buckets: 0.01 ms to 1,000 s within 2 %, in constant memory however many
 * are recorded.
 */
export class LatencyHistogram {
  readonly #counts = new Float64Array(bucketCount);
  #count = 0;
  #sum = 0;
  #maximum = 0;

  get count(): number {
    return this.#count;
  }

  record(milliseconds: number): void {
    const value = Math.max(milliseconds, smallest);
    const index = Math.min(bucketCount - 1, Math.floor(Math.log(value / smallest) / Math.log(growth)));
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#count += 1;
    this.#sum += milliseconds;
    this.#maximum = Math.max(this.#maximum, milliseconds);
  }

  /** The smallest recorded bucket's upper edge below which `share` (0..1) of all values are. */
  quantile(share: number): number {
    if (this.#count === 0) return 0;
    const wanted = Math.max(1, Math.ceil(share * this.#count));
    let seen = 0;
    for (const [index, count] of this.#counts.entries()) {
      seen += count;
      if (seen >= wanted) return Math.min(this.#maximum, smallest * growth ** (index + 1));
    }
    return this.#maximum;
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      p50: this.quantile(0.5),
      p95: this.quantile(0.95),
      p99: this.quantile(0.99),
      maximum: this.#maximum,
      mean: this.#count === 0 ? 0 : this.#sum / this.#count,
    };
  }
}
