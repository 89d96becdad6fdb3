import type { ResolvedConfig } from "../../config/model/types.ts";
import type { Command, CommandResult } from "../command.ts";
import { capacityOption, withCapacity } from "./capacity-option.ts";
import { agreeToDowntime } from "./downtime.ts";
import { openRollout } from "./rollout-context.ts";
import { waitOption } from "./rollout-control.ts";
import { rolloutResult } from "./rollout-end.ts";
import { parsedSteps } from "./steps-option.ts";

export const release: Command = {
  name: "release",
  summary: "Put a new release into the idle slot and take it live, phase by phase",
  description:
    "Deploys the release into the idle slot at the size of the live one, warms up every replica, proves it through the real ingress before any client sees it, shifts the traffic in the steps of `rollout.steps`, and proves each one. What fails on the way is taken back by itself. The old slot stays warm for `rollout.rollbackWindow`. Needs a configuration with `release`.",
  options: [
    {
      name: "set",
      value: "key=value",
      summary:
        "change of the template for this release, for example image=registry/fraud:1.5; may be repeated",
      repeatable: true,
    },
    {
      name: "steps",
      value: "steps",
      summary: "shares on the way, for example 5%:2m,25%:5m,50%, or auto; default: the configuration's",
    },
    capacityOption,
    { name: "skip-gates", summary: "ask no gate; it is recorded" },
    { name: "ignore-windows", summary: "move traffic outside the windows, and in a freeze; it is recorded" },
    waitOption,
  ],
  examples: [
    "modelswitch release --set image=registry/fraud:1.5",
    "modelswitch release --set image=registry/fraud:1.5 --steps 5%:2m,25%:5m",
  ],
  output: "long",
  ifInterrupted:
    "Traffic is as the last proved step left it. `modelswitch resume` goes on, `modelswitch abort` takes it back.",
  async run(input, context): Promise<CommandResult> {
    const opened = withCapacity(await openRollout(context), input);
    const { release: start, requireTemplate } = await import("../../rollout/commands/release.ts");
    const { config } = opened;
    const rollout = { ...opened, config: await withSteps(config, input.options.steps) };
    const { withSettings } = await import("../release-settings.ts");
    const template = await withSettings(requireTemplate(config), input.lists?.set ?? [], config);
    const { options } = input;
    const end = await start(rollout, {
      template,
      skipGates: options["skip-gates"] === true,
      ignoreWindows: options["ignore-windows"] === true,
      waitWhenHeld: options.wait === true,
      agree: agreeToDowntime(rollout, context),
    });
    return rolloutResult(rollout, end, { began: true });
  },
};

async function withSteps(config: ResolvedConfig, steps: string | true | undefined): Promise<ResolvedConfig> {
  const given = steps === "auto" ? steps : await parsedSteps(steps);
  if (given === undefined) return config;
  const { withSteps: changed } = await import("../../config/rollout/rollout.ts");
  return { ...config, rollout: changed(config.rollout, given) };
}
