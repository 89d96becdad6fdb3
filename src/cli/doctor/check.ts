/** The outcome of one check. */
export interface Verdict {
  readonly state: "ok" | "warning" | "failed" | "skipped";
  /** What was found. */
  readonly detail: string;
  /** What to do about it. */
  readonly hint?: string;
}

export interface Check extends Verdict {
  /** Stable, kebab-case. */
  readonly name: string;
  /** For people. */
  readonly title: string;
}

export const ok = (detail: string): Verdict => ({ state: "ok", detail });
export const skipped = (detail: string): Verdict => ({ state: "skipped", detail });
export const warning = (detail: string, hint: string): Verdict => ({ state: "warning", detail, hint });
export const failed = (detail: string, hint: string): Verdict => ({ state: "failed", detail, hint });
