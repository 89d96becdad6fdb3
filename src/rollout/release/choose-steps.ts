import type { ResolvedConfig } from "../../config/model/types.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Deployed } from "../context/deployed.ts";
import { longestRequestMs } from "./counted-rollout.ts";
import { type ChosenSteps, chosenSteps, stepsInWords } from "./live-plan.ts";
import { measureTraffic, trafficGateOf } from "./live-traffic.ts";

/**
 * The configuration with the steps that `steps: auto` comes to: once for a release, which records them. Where nobody knows of any traffic it is one
 * jump, and that is said.
 */
export function stepsOnce(context: RolloutContext): (deployed: Deployed) => Promise<ResolvedConfig> {
  const { config, events } = context;
  let chosen: Promise<ChosenSteps> | undefined;
  return async (deployed) => {
    if (config.rollout.isAutomatic !== true) return config;
    chosen ??= choose(context, deployed).then((found) => {
      if (found.kind === "none") {
        events({
          type: "warning",
          code: "steps-unknown",
          message: `No steps could be chosen, so the release takes all traffic in one jump: ${found.why}.`,
          hint: 'Give the steps instead, for example --steps "5%:5m, 25%:5m, 50%:5m".',
        });
      } else events({ type: "info", message: `Steps by the traffic: ${stepsInWords(found.steps)}` });
      return found;
    });
    const found = await chosen;
    const steps = found.kind === "none" ? [] : found.steps;
    return { ...config, rollout: { ...config.rollout, steps } };
  };
}

async function choose(context: RolloutContext, deployed: Deployed): Promise<ChosenSteps> {
  const { router } = deployed.location;
  const gate = trafficGateOf(context);
  if (context.config.rollout.mode.kind === "recreate") {
    return { kind: "none", why: "in the mode recreate only one slot runs at a time" };
  }
  if (!router.capabilities.weights) {
    return { kind: "none", why: `the router ${router.name} moves all traffic at once` };
  }
  if (gate === undefined) return { kind: "none", why: "clients' requests are not compared" };
  return chosenSteps(await measureTraffic(context, deployed, gate), longestRequestMs(deployed.record));
}
