/** One mistake in what a slot runs. */
export interface SlotProblem {
  /** Keys from the slot on, for example `["autoscaling", "min"]`. */
  readonly path: readonly (string | number)[];
  /** To be read after the path: `is missing`. */
  readonly message: string;
}

export const problem = (path: SlotProblem["path"], message: string): SlotProblem => ({ path, message });

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
