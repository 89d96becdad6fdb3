import type { ResolvedConfig } from "../../config/model/types.ts";
import { UserError } from "../../core/errors.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import type { Command, CommandContext, CommandResult } from "../command.ts";
import { capacityOption, withCapacity } from "./capacity-option.ts";
import { liveFlags, readLiveFlags, shareHostFlag } from "./live-flags.ts";
import { choiceOf, duration, openRollout } from "./rollout-context.ts";

export const up: Command = {
  name: "up",
  summary: "Create or update the model: two slots, and the routing to the live one",
  description:
    "Makes the cluster what the config file says. Traffic stays where it is, and what a slot that carries traffic runs is not changed. Ends with a proof that the ingress answers from the live slot.",
  options: [
    { name: "create-namespace", summary: "Create the namespace if it does not exist" },
    { name: "take-over", summary: "the model may belong to another environment: make it this one's" },
    shareHostFlag,
    ...liveFlags,
    capacityOption,
  ],
  examples: ["modelswitch up", "modelswitch up --create-namespace"],
  output: "long",
  ifInterrupted: "What was applied stays, traffic is where it was; `modelswitch up` continues.",
  async run(input, context): Promise<CommandResult> {
    const rollout = withCapacity(await openRollout(context), input);
    const { up: run } = await import("../../rollout/commands/up.ts");
    const result = await run(rollout, {
      ...readLiveFlags(input),
      createNamespace: input.options["create-namespace"] === true,
      takeOver: input.options["take-over"] === true,
      shareHost: input.options["share-host"] === true,
      agreeToMove: (question) => agreedOr(context, question, false),
    });
    const { config, namespace } = rollout;
    const url = String(result.outputs.url ?? "");
    const endpoint = result.outputs.endpoint;
    const { proof } = result;
    return {
      data: {
        model: config.name,
        namespace,
        context: rollout.kubernetesContext,
        live: result.live,
        routing: result.routing,
        releases: result.record.slots,
        url,
        endpoint: endpoint ?? null,
        changes: result.changes,
        proof,
        notes: result.notes,
        applyMs: result.applyMs,
        totalMs: result.totalMs,
      },
      text: [
        `${config.name} is up in ${namespace}: ${result.live} is live.`,
        ...(proof.state === "proved"
          ? [`Proved: ${proof.probes} answers from ${result.live} at ${proof.endpoints.join(", ")}`]
          : [`Not proved: ${proof.reason}`]),
        `URL: ${url}`,
        ...(endpoint === undefined || endpoint === null ? [] : [`Ingress endpoint: ${String(endpoint)}`]),
        `Took ${duration(result.totalMs)}.`,
        "",
        "Next:",
        `  modelswitch status${choiceOf(context)}`,
        `  modelswitch ${nextAfter(result.live, result.record.settings.replicas, config)}${choiceOf(context)}`,
      ],
    };
  },
};

/** The answer to a question that nobody must answer: where there is no terminal, the one given. */
async function agreedOr(context: CommandContext, question: string, otherwise: boolean): Promise<boolean> {
  try {
    return await context.confirm(question);
  } catch (error) {
    if (error instanceof UserError && error.code === "confirmation-needed") return otherwise;
    throw error;
  }
}

/** The command that moves traffic next: a switch to a slot that runs, else a release into the one that is empty. Pure. */
export function nextAfter(
  live: Slot,
  replicas: Readonly<Record<Slot, number>>,
  { runs }: Pick<ResolvedConfig, "runs">,
): string {
  const other = otherSlot(live);
  return runs.form === "template" && replicas[other] === 0 ? "release --set image=IMAGE" : `switch ${other}`;
}
