import type { ResolvedConfig } from "../../config/model/types.ts";
import type { PreparedAdoption } from "../../rollout/adoption/prepared.ts";
import type { Command, CommandContext, CommandResult } from "../command.ts";
import { duration, openRollout } from "./rollout-context.ts";

export const adopt: Command = {
  name: "adopt",
  summary: "Take a Deployment, Service and Ingress that run already under management, or give them back",
  description:
    "Takes over the objects that the config file names (`modelswitch init --from ingress/NAME` writes it) as the slot blue: no pod restarts, no request takes another way. Shows what it would do and asks first. --undo gives everything back as it was found.",
  options: [
    {
      name: "accept-loss",
      summary: "go on although later releases would be without something that runs; what it is, is listed",
    },
    { name: "undo", summary: "give back what was adopted: labels, owners and Ingress as they were found" },
  ],
  examples: ["modelswitch adopt", "modelswitch adopt --yes", "modelswitch adopt --undo"],
  output: "long",
  ifInterrupted:
    "Traffic and pods are as they were; the same command goes on, `modelswitch adopt --undo` gives back.",
  run: (input, context) =>
    input.options.undo === true ? undo(context) : takeOver(context, input.options["accept-loss"] === true),
};

async function takeOver(context: CommandContext, acceptLoss: boolean): Promise<CommandResult> {
  const rollout = await openRollout(context);
  const [{ adopt: run }, { autoscalerPart, preparedLines }] = await Promise.all([
    import("../../rollout/adoption/adopt.ts"),
    import("../../rollout/adoption/plan-lines.ts"),
  ]);
  const { config, namespace, kubernetesContext } = rollout;
  const confirmed = async (prepared: PreparedAdoption) => {
    for (const message of preparedLines(config, namespace, prepared)) {
      context.events({ type: "info", message });
    }
    return await context.confirm(
      `This takes them under management in ${namespace} (context ${kubernetesContext}). Continue?`,
    );
  };
  const result = await run(rollout, confirmed, { acceptLoss });
  const { adoption, proof } = result;
  const objects = {
    deployment: adoption.deployment.name,
    service: adoption.service.name,
    ingress: adoption.ingress.name,
    ...(adoption.autoscaler === undefined ? {} : { autoscaler: adoption.autoscaler.name }),
  };
  return {
    data: {
      model: config.name,
      namespace,
      context: kubernetesContext,
      slot: adoption.slot,
      adopted: objects,
      alreadyThere: result.alreadyThere,
      pods: result.pods,
      proof: proof ?? null,
      totalMs: result.totalMs,
    },
    text: result.alreadyThere
      ? [`${config.name} has adopted ${Object.values(objects).join(", ")} already (${adoption.at}).`]
      : [
          `Deployment ${objects.deployment}, Service ${objects.service}, Ingress ${objects.ingress}${autoscalerPart(adoption)} are ${adoption.slot} of ${config.name}: ${result.pods} pods, none restarted.`,
          ...(proof === undefined
            ? []
            : proof.state === "proved"
              ? [`Proved: ${proof.probes} answers from ${adoption.slot} at ${proof.endpoints.join(", ")}`]
              : [`Not proved: ${proof.reason}`]),
          `Took ${duration(result.totalMs)}.`,
          "",
          "Next:",
          "  modelswitch status",
          ...nextRelease(config),
          "  modelswitch adopt --undo   # gives everything back as it was",
        ],
  };
}

/** How the next release goes into the empty slot. */
function nextRelease({ runs }: Pick<ResolvedConfig, "runs">): string[] {
  switch (runs.form) {
    case "template":
      return ["  modelswitch release --set image=IMAGE"];
    case "slots":
      return [
        "  modelswitch up             # once slots.green has the next image and replicas",
        "  modelswitch switch green",
      ];
  }
}

async function undo(context: CommandContext): Promise<CommandResult> {
  const rollout = await openRollout(context);
  const [{ undoAdoption, undoLines }, { autoscalerPart }] = await Promise.all([
    import("../../rollout/adoption/undo.ts"),
    import("../../rollout/adoption/plan-lines.ts"),
  ]);
  const { config, namespace, kubernetesContext } = rollout;
  const result = await undoAdoption(rollout, async (prepared) => {
    for (const message of undoLines(prepared)) context.events({ type: "info", message });
    return await context.confirm(
      `This ends the management of ${config.name} in ${namespace} (context ${kubernetesContext}). Continue?`,
    );
  });
  const { deployment, service, ingress, autoscaler } = result.adoption;
  return {
    data: {
      model: config.name,
      namespace,
      context: kubernetesContext,
      givenBack: {
        deployment: deployment.name,
        service: service.name,
        ingress: ingress.name,
        ...(autoscaler === undefined ? {} : { autoscaler: autoscaler.name }),
      },
      proof: result.proof,
      totalMs: result.totalMs,
    },
    text: [
      `Deployment ${deployment.name}, Service ${service.name}, Ingress ${ingress.name}${autoscalerPart(result.adoption)} are as they were found; modelswitch has let go of them.`,
      `${config.file} is of no use any more: remove it, or adopt again with it.`,
      `Took ${duration(result.totalMs)}.`,
    ],
  };
}
