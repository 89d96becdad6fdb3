import type { PresentLock } from "../../rollout/lock/lease.ts";
import type { Command, CommandResult } from "../command.ts";
import { openRolloutAnywhere } from "./rollout-context.ts";

export const unlock: Command = {
  name: "unlock",
  summary: "Remove the lock that a killed command left; show who holds it",
  description:
    "A lock whose holder is dead is removed (other commands would take it over by themselves, too): at once where that is known, else when its heartbeat has not come for 20 seconds. One whose holder is alive is taken away only with --force: that command ends what it does, and stops. Traffic stays as it is.",
  options: [{ name: "force", summary: "take it from a command that is alive, after a question" }],
  examples: ["modelswitch unlock", "modelswitch unlock --force"],
  output: "query",
  ifInterrupted: "The lock is as it was, or removed: `modelswitch unlock` shows which.",
  async run(input, context): Promise<CommandResult> {
    const rollout = await openRolloutAnywhere(context);
    const { unlock: remove } = await import("../../rollout/commands/unlock.ts");
    const found = await remove(rollout, {
      force: input.options.force === true,
      agree: (lock) =>
        context.confirm(
          `${describe(lock)}, and is alive. It will end what it does, wherever it is; traffic stays as it is then. Take the lock away?`,
        ),
    });
    const { name } = rollout.config;
    const data = {
      model: name,
      namespace: rollout.namespace,
      context: rollout.kubernetesContext,
      found: found.kind,
    };
    if (found.kind === "free")
      return { data: { ...data, holder: null }, text: [`Nobody holds the lock of ${name}.`] };
    const { holder, since, heartbeatSecondsAgo } = found.lock;
    return {
      data: { ...data, holder: holder ?? null, since, heartbeatSecondsAgo },
      text: [
        found.kind === "removed"
          ? `${found.lock.who} is dead (\`${found.lock.what}\`, since ${since}): its lock is removed.`
          : `${describe(found.lock)}; its lock is taken away.`,
        "`modelswitch status` shows what it left; a rollout goes on with `modelswitch resume`, and back with `modelswitch abort`.",
      ],
    };
  },
};

function describe({ who, what, since }: PresentLock): string {
  return `${who} runs \`${what}\` since ${since}`;
}
