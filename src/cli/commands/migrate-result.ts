import { describeWay } from "../../core/migration.ts";
import type { MigrateResult } from "../../rollout/migration/migrate.ts";
import type { PreparedMigration } from "../../rollout/migration/prepare.ts";
import type { IdleEvidence } from "../../rollout/migration/wait-idle.ts";
import type { CommandContext, CommandResult } from "../command.ts";
import { choiceOf, duration } from "./rollout-context.ts";

/** What `migrate` says in the end, for programs and for people. */

export function documentOf({
  migration,
  from,
  to,
  sameAddress,
}: PreparedMigration): Readonly<Record<string, unknown>> {
  const at = (endpoints: PreparedMigration["from"]) => endpoints?.map(({ url }) => url) ?? null;
  return {
    from: { router: migration.from.router, endpoints: at(from) },
    to: { router: migration.to.router, endpoints: at(to) },
    stage: migration.stage,
    sameAddress: sameAddress ?? null,
    proofHost: migration.proofHost ?? null,
  };
}

export function alreadyThere(about: Readonly<Record<string, unknown>>, way: string): CommandResult {
  return {
    data: { ...about, state: "there" },
    text: [`The router is ${way} already: there is nothing to move.`],
  };
}

export function resultOf(
  about: { readonly model: string },
  result: MigrateResult,
  totalMs: number,
  context: CommandContext,
  dnsLine: typeof import("../../rollout/migration/describe.ts")["dnsLine"],
): CommandResult {
  const data = { ...about, state: result.state, totalMs };
  const choice = choiceOf(context);
  switch (result.state) {
    case "there":
      return alreadyThere(about, describeWay(result.there.way));
    case "declined":
      return { data, text: ["Nothing was changed."] };
    case "undone":
      return {
        data: { ...data, router: result.migration.from.router },
        text: [
          `The move to ${describeWay(result.migration.to)} is taken back: ${about.model} is served by ${describeWay(result.migration.from)} alone.`,
          `Put that router into the configuration if it names the other one. Took ${duration(totalMs)}.`,
        ],
      };
    case "both": {
      const { prepared, proof } = result;
      const { migration } = prepared;
      const back = migration.isBack === true ? " --abort" : "";
      return {
        data: { ...data, ...documentOf(prepared), proof: proof ?? null },
        text: [
          `${about.model} is served by ${describeWay(migration.from)} and by ${describeWay(migration.to)}, in one routing.`,
          ...(proof === undefined
            ? []
            : [`Proved: ${proof.probes} answers at ${proof.endpoints.join(", ")}`]),
          `Clients move now: ${dnsLine(migration.from.ingress.host, prepared.from, prepared.to)}`,
          "",
          "Next:",
          `  modelswitch migrate${back} --wait-idle 10m${choice}   # removes the old objects once nobody has used them for so long`,
          `  modelswitch migrate${back} --moved${choice}           # removes them now`,
          ...(back === "" ? [`  modelswitch migrate --abort${choice}           # takes it back`] : []),
        ],
      };
    }
    case "moved": {
      const { prepared, proof, idle } = result;
      const { migration } = prepared;
      return {
        data: { ...data, ...documentOf(prepared), stage: "done", proof, idle: idle ?? null },
        text: [
          `${about.model} is served by ${describeWay(migration.to)}; the objects of ${describeWay(migration.from)} are gone.`,
          `Proved: ${proof.probes} answers at ${proof.endpoints.join(", ")}${idle === undefined ? "" : `; the old way: ${describeIdle(idle)}`}`,
          ...(prepared.isConfigured
            ? []
            : [
                `Say so in the configuration now: router: "${migration.to.router}", with its class, Gateway and endpoints.`,
              ]),
          `Took ${duration(totalMs)}.`,
        ],
      };
    }
  }
}

function describeIdle(idle: IdleEvidence): string {
  switch (idle.kind) {
    case "said":
      return "not looked at, as said";
    case "counted":
      return `${idle.controller} counted no request for ${duration(idle.idleMs)}`;
    case "assumed":
      return `assumed to be unused after ${duration(idle.idleMs)} (${idle.why})`;
  }
}
