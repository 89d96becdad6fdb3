import { exitCodes, UserError } from "../../core/errors.ts";
import { isSlot, slots } from "../../core/slots.ts";
import type { SwitchResult } from "../../rollout/commands/switch.ts";
import type { Command, CommandResult } from "../command.ts";
import { choiceOf, duration, openRolloutAnywhere } from "./rollout-context.ts";
import { heardResult, rolloutResult } from "./rollout-end.ts";

export const switchCommand: Command = {
  name: "switch",
  summary: "Send all traffic to one slot, proved at the ingress",
  description:
    "Waits until all replicas of the slot are ready, writes the routing step by step, proves each step at the ingress on fresh connections, and brings Pulumi's state up to it. A step that cannot be proved is undone. Away from a live slot that is bad it is a way back like `rollback`: nothing of that slot is needed, and traffic stays on the other one. To the slot that a rollout in progress leaves it is `abort`. After an interruption `resume`, or the same command, goes on from what the cluster says.",
  arguments: [{ name: "slot", summary: "The slot to send the traffic to", required: true, choices: slots }],
  options: [
    {
      name: "now",
      summary: "away from a bad slot: all traffic at once to a slot that is smaller than the load",
    },
  ],
  examples: ["modelswitch switch green", "modelswitch switch blue --json"],
  output: "long",
  ifInterrupted:
    "Traffic is on a slot that was proved. `modelswitch status` shows which; run the same command again to go on.",
  async run(input, context): Promise<CommandResult> {
    const target = input.arguments.slot;
    if (!isSlot(target)) {
      throw new UserError({
        code: "slot-unknown",
        message: `There is no slot "${target ?? ""}".`,
        hint: "The slots are: blue, green.",
        exitCode: exitCodes.usage,
      });
    }
    const rollout = await openRolloutAnywhere(context);
    const { heardInTime, meantBy } = await import("../../rollout/commands/meant-by.ts");
    const asked = meantBy(await rollout.store.read(), { slot: target });
    if (asked !== undefined) {
      const { control } = await import("../../rollout/commands/steer.ts");
      const controlled = await heardInTime(
        control(rollout, input.options.now === true ? [asked, "now"] : [asked]),
      );
      if (controlled !== undefined) {
        return controlled.kind === "heard"
          ? heardResult(rollout, controlled)
          : rolloutResult(rollout, controlled.end);
      }
    }
    const { switchTraffic } = await import("../../rollout/commands/switch.ts");
    const result = await switchTraffic(rollout, target, { now: input.options.now === true });
    return {
      data: {
        model: rollout.config.name,
        namespace: rollout.namespace,
        context: rollout.kubernetesContext,
        ...result,
      },
      text: describe(result, choiceOf(context)),
    };
  },
};

function describe(result: SwitchResult, choice: string): string[] {
  const at = result.endpoints.join(", ");
  if (result.alreadyThere) {
    return [`All traffic is on ${result.target} already; proved at ${at} (${duration(result.totalMs)}).`];
  }
  const writeMs = result.steps.reduce((sum, { writeMs }) => sum + writeMs, 0);
  const proofMs = result.steps.reduce((sum, { proofMs }) => sum + proofMs, 0);
  return [
    result.from === result.target
      ? `All traffic is on ${result.target}: the unfinished switch is finished, proved at ${at}.`
      : `All traffic went from ${result.from} to ${result.target}, proved at ${at}.`,
    `Took ${duration(result.totalMs)}: ready ${duration(result.readyMs)}, writes ${duration(writeMs)}, proofs ${duration(proofMs)}.`,
    `Back: modelswitch switch ${result.target === "blue" ? "green" : "blue"}${choice}`,
  ];
}
