import { liveSlot } from "../../core/routing.ts";
import type { ResourceChange } from "../../engine/stack.ts";
import type { Command, CommandResult } from "../command.ts";
import { liveFlags, readLiveFlags } from "./live-flags.ts";
import { openRollout } from "./rollout-context.ts";

export const plan: Command = {
  name: "plan",
  summary: "Show what `up` would change, property by property; changes nothing",
  options: [...liveFlags],
  examples: ["modelswitch plan", "modelswitch plan --json"],
  output: "long",
  ifInterrupted: "Nothing was changed.",
  async run(input, context): Promise<CommandResult> {
    const rollout = await openRollout(context);
    const { prepareUp } = await import("../../rollout/up.ts");
    const prepared = await prepareUp(rollout, readLiveFlags(input));
    await rollout.prepareSecrets();
    for (const note of prepared.plan.notes) context.events({ type: "warning", ...note });
    const stack = await rollout.openStack(context.signal);
    const result = await stack.preview(prepared.desired);
    const live = liveSlot(prepared.plan.routing);
    return {
      data: {
        model: rollout.config.name,
        namespace: rollout.namespace,
        context: rollout.kubernetesContext,
        namespaceExists: prepared.observation.namespaceExists,
        live,
        changes: result.changes,
        same: result.same,
        notes: prepared.plan.notes,
      },
      text: [
        ...(prepared.observation.namespaceExists
          ? []
          : [`The namespace ${rollout.namespace} does not exist: \`up\` needs --create-namespace.`]),
        ...result.changes.flatMap(describeChange),
        result.changes.length === 0
          ? `No changes: ${result.same} resources are as declared. Traffic stays on ${live}.`
          : `${result.changes.length} to change, ${result.same} unchanged. Traffic stays on ${live}. \`modelswitch up\` makes the changes.`,
      ],
    };
  },
};

const signs = { create: "+", update: "~", replace: "±", delete: "-", read: " " } as const;

function describeChange(change: ResourceChange): string[] {
  const lines = change.properties.map(({ path, before, after }) => {
    if (before === undefined) return `    + ${path}: ${show(after)}`;
    if (after === undefined) return `    - ${path}: ${show(before)}`;
    return `    ~ ${path}: ${show(before)} -> ${show(after)}`;
  });
  return [
    `${signs[change.operation]} ${change.operation} ${change.kind} ${change.name}`,
    // What is created is in the config file; what changes is the news.
    ...(change.operation === "create" ? [] : lines),
  ];
}

function show(value: unknown): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "(none)");
  return text.length > 120 ? `${text.slice(0, 117)}...` : text;
}
