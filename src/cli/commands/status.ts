import { slots } from "../../core/slots.ts";
import type { ModelStatus, SlotStatus } from "../../rollout/status.ts";
import type { Command, CommandResult } from "../command.ts";
import { openRollout } from "./rollout-context.ts";

export const status: Command = {
  name: "status",
  summary: "Show the model: which slot is live, what each runs, and what is wrong",
  examples: ["modelswitch status", "modelswitch status --json"],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  async run(_input, context): Promise<CommandResult> {
    const rollout = await openRollout(context);
    const { modelStatus } = await import("../../rollout/status.ts");
    const found = await modelStatus(rollout);
    return {
      data: { ...found, pending: found.pending ?? null, lastSwitch: found.lastSwitch ?? null },
      text: describe(found),
    };
  },
};

function describe(found: ModelStatus): string[] {
  const rows = [
    ["SLOT", "TRAFFIC", "RELEASE", "READY", "IMAGE"],
    ...slots.map((slot) => row(slot, found.slots[slot], slot === found.live)),
  ];
  return [
    `${found.model} in ${found.namespace} (context ${found.context})`,
    `${found.url} at ${found.endpoints.join(", ") || "no address yet"}, router ${found.router}`,
    "",
    ...table(rows),
    ...slots.flatMap((slot) => troubles(slot, found.slots[slot])),
    ...(found.pending === undefined ? [] : ["", `Pending: ${found.pending}`]),
    ...(found.lastSwitch === undefined
      ? []
      : [
          "",
          `Last switch: ${found.lastSwitch.from} to ${found.lastSwitch.to} at ${found.lastSwitch.at} by ${found.lastSwitch.by}`,
        ]),
  ];
}

function row(name: string, slot: SlotStatus, live: boolean): string[] {
  const desired = slot.replicas.desired ?? slot.endpoints.ready + slot.endpoints.notReady;
  return [
    `${name}${live ? " (live)" : ""}`,
    `${slot.trafficPercent} %`,
    slot.release === undefined ? "-" : String(slot.release),
    `${slot.replicas.ready}/${desired}`,
    slot.pods === "yours" ? "(your own pods)" : (slot.image ?? "-"),
  ];
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => (cells[column] ?? "").length)),
  );
  return rows.map((cells) =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
      .join("   "),
  );
}

function troubles(name: string, slot: SlotStatus): string[] {
  const isEmpty = slot.replicas.desired === 0 && slot.trafficPercent === 0;
  if (slot.ready || isEmpty) return [];
  return [
    "",
    `${name} is not ready: ${slot.reasons.join("; ")}`,
    ...slot.problems.flatMap((problem) => [
      `  pod ${problem.pod}: ${problem.message}`,
      ...(problem.evidence?.events ?? []).map((event) => `    ${event}`),
      ...(problem.evidence?.logLines ?? []).map((line) => `    log: ${line}`),
    ]),
  ];
}
