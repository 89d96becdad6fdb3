import type { ResolvedConfig } from "../../config/model/types.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Deployed } from "../context/deployed.ts";
import { longestRequestMs } from "./counted-rollout.ts";
import { type ChosenSteps, chosenSteps, giveSteps, stepsInWords } from "./live-plan.ts";
import { measureTraffic, trafficGateOf } from "./live-traffic.ts";

/**
 * The configuration with the steps that `steps: auto` comes to: once for a release, which records them. Where nobody knows of any traffic nothing is
 * chosen: a jump that nobody asked for would be compared with nothing. Where traffic cannot be shared at all it is one jump, and that is said.
 */
export function stepsOnce(context: RolloutContext): (deployed: Deployed) => Promise<ResolvedConfig> {
  const { config, events } = context;
  let chosen: Promise<ChosenSteps | OneJump> | undefined;
  return async (deployed) => {
    if (config.rollout.isAutomatic !== true) return config;
    chosen ??= choose(context, deployed).then((found) => {
      if (found.kind === "none") throw stepsUnknown(found.why);
      if (found.kind === "one-jump") {
        events({
          type: "warning",
          code: "steps-impossible",
          message: `No steps are chosen, so the release takes all traffic in one jump, and clients' requests are not compared: ${found.why}.`,
        });
      } else events({ type: "info", message: `Steps by the traffic: ${stepsInWords(found.steps)}` });
      return found;
    });
    const found = await chosen;
    const steps = found.kind === "steps" ? found.steps : [];
    return { ...config, rollout: { ...config.rollout, steps } };
  };
}

function stepsUnknown(why: string): UserError {
  return new UserError({
    code: "steps-unknown",
    message: `No steps can be chosen by the traffic: ${why}. Nothing was changed.`,
    hint: `${giveSteps.charAt(0).toUpperCase()}${giveSteps.slice(1)}.`,
    exitCode: exitCodes.usage,
  });
}

/** Nothing is to be chosen, whatever the traffic. */
interface OneJump {
  readonly kind: "one-jump";
  readonly why: string;
}

async function choose(context: RolloutContext, deployed: Deployed): Promise<ChosenSteps | OneJump> {
  const { router } = deployed.location;
  const gate = trafficGateOf(context);
  if (context.config.rollout.mode.kind === "recreate") {
    return { kind: "one-jump", why: "in the mode recreate only one slot runs at a time" };
  }
  if (!router.capabilities.weights) {
    return { kind: "one-jump", why: `the router ${router.name} moves all traffic at once` };
  }
  if (gate === undefined) return { kind: "one-jump", why: "the gate `traffic` is switched off" };
  return chosenSteps(await measureTraffic(context, deployed, gate), longestRequestMs(deployed.record));
}
