import { capacityPolicies } from "../../config/rollout/capacity-policy.ts";
import type { RolloutContext } from "../../rollout/context/context.ts";
import type { CommandInput, OptionSpec } from "../command.ts";

export const capacityOption: OptionSpec = {
  name: "capacity",
  value: "policy",
  choices: capacityPolicies,
  summary: "what to do where there is no room for the new pods, or the API server refuses them",
  defaultText: "`rollout.capacity` of the configuration, else require",
};

/** The same model, with what the command line says of capacity. */
export function withCapacity(rollout: RolloutContext, { options }: CommandInput): RolloutContext {
  const policy = capacityPolicies.find((one) => one === options.capacity);
  if (policy === undefined) return rollout;
  const { config } = rollout;
  return { ...rollout, config: { ...config, rollout: { ...config.rollout, capacity: policy } } };
}
