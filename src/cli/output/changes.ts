import { formatDuration } from "../../core/duration.ts";
import type { OperationResult, ResourceChange } from "../../engine/stack.ts";

const signs: Readonly<Record<ResourceChange["operation"], string>> = {
  create: "+",
  update: "~",
  replace: "±",
  delete: "-",
  read: ">",
};

const past: Readonly<Record<ResourceChange["operation"], string>> = {
  create: "created",
  update: "updated",
  replace: "replaced",
  delete: "deleted",
  read: "read",
};

/** What an operation of Pulumi changed, property by property, and the outputs. */
export function operationText(
  result: OperationResult,
  about: { readonly planned: boolean; readonly outputs: boolean },
): string[] {
  const lines = result.changes.flatMap((change) => changeLines(change));
  const counts = countByOperation(result).map(([operation, count]) =>
    about.planned ? `${count} to ${operation}` : `${count} ${past[operation]}`,
  );
  const summary = result.changes.length === 0 ? "Nothing to change" : counts.join(", ");
  lines.push(`${summary}; ${result.same} unchanged (${formatDuration(result.durationMs)}).`);
  const outputs = Object.entries(result.outputs);
  if (about.outputs && outputs.length > 0) {
    lines.push("Outputs:", ...outputs.map(([name, value]) => `  ${name}: ${show(value)}`));
  }
  return lines;
}

function countByOperation(result: OperationResult): [ResourceChange["operation"], number][] {
  const counts = new Map<ResourceChange["operation"], number>();
  for (const { operation } of result.changes) counts.set(operation, (counts.get(operation) ?? 0) + 1);
  return [...counts];
}

function changeLines(change: ResourceChange): string[] {
  const head = `${signs[change.operation]} ${change.kind} ${change.name}`;
  if (change.operation !== "update" && change.operation !== "replace") return [head];
  return [head, ...change.properties.map((property) => `    ${property.path}: ${difference(property)}`)];
}

function difference(property: ResourceChange["properties"][number]): string {
  const { before, after } = property;
  if (before === undefined) return after === undefined ? "changes" : `${show(after)} (new)`;
  if (after === undefined) return `${show(before)} (removed)`;
  return `${show(before)} → ${show(after)}`;
}

function show(value: unknown): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "undefined");
}
