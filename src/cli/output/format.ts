import type { StepEvent } from "../../core/events.ts";

/** An estimate has no business with seconds: `about 3 min left`. */
export function formatRemaining(ms: number): string {
  if (ms < 90_000) return `about ${Math.max(1, Math.round(ms / 1000))} s left`;
  return `about ${Math.round(ms / 60_000)} min left`;
}

/** `312 of 1210 packages (26 %)`. */
export function formatProgress(progress: NonNullable<StepEvent["progress"]>): string {
  const { done, total, unit } = progress;
  if (total <= 0) return `${done} ${unit}`;
  if (unit === "bytes")
    return `${formatBytes(done)} of ${formatBytes(total)} (${Math.floor((done / total) * 100)} %)`;
  return `${done} of ${total} ${unit} (${Math.floor((done / total) * 100)} %)`;
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** What a step says beside its title: evidence, progress, estimate. */
export function formatStepNotes(step: Pick<StepEvent, "detail" | "progress" | "remainingMs">): string {
  const notes: string[] = [];
  if (step.progress !== undefined) notes.push(formatProgress(step.progress));
  if (step.detail !== undefined && step.detail !== "") notes.push(step.detail);
  if (step.remainingMs !== undefined) notes.push(formatRemaining(step.remainingMs));
  return notes.join(", ");
}

/** Rows as aligned columns, two spaces between. */
export function formatTable(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
