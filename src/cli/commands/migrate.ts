import { exitCodes, UserError } from "../../core/errors.ts";
import { describeWay } from "../../core/migration.ts";
import { type GatewayRef, type RouterName, routerNames } from "../../core/model.ts";
import type { MigrateOptions, MigrateResult } from "../../rollout/migration/migrate.ts";
import type { PreparedMigration } from "../../rollout/migration/prepare.ts";
import type { IdleEvidence } from "../../rollout/migration/wait-idle.ts";
import type { Command, CommandContext, CommandInput, CommandResult } from "../command.ts";
import { shareHostFlag } from "./live-flags.ts";
import { choiceOf, duration, openRollout } from "./rollout-context.ts";

export const migrate: Command = {
  name: "migrate",
  summary: "Move the model to another router or controller, without a failed request",
  description:
    "The configuration's `router` (and its class or Gateway) is the goal, or --to. The new router's objects are made beside the old ones in the same routing, and proved at their own address, or by a host that no client uses, before clients see them. Then clients move (DNS), and the old objects are removed once told to: --wait-idle or --moved. Where both are one controller nobody has to move. Each stage is recorded: killed anywhere, the same command goes on, --abort takes it back.",
  options: [
    {
      name: "to",
      value: "router",
      summary: "the router to move to",
      choices: routerNames,
      defaultText: "the configuration's",
    },
    {
      name: "class",
      value: "name",
      summary: "class of the new controller, where the configuration does not say it",
    },
    {
      name: "gateway",
      value: "[namespace/]name",
      summary: "Gateway that takes the requests, where the configuration does not say it",
    },
    {
      name: "endpoint",
      value: "url",
      summary: "where the new controller listens",
      defaultText:
        "ingress.endpoints where the configuration's router is the goal, else what the cluster says",
      repeatable: true,
    },
    {
      name: "from-endpoint",
      value: "url",
      summary: "where the old controller listens",
      defaultText: "what the cluster says",
      repeatable: true,
    },
    {
      name: "host-proof",
      value: "host",
      summary: "prove the new objects by this host, which no client uses, before they have the model's",
      defaultText: "only where the addresses of both are not known to differ: a host beside the model's",
    },
    {
      name: "plan",
      summary: "show what would be made, in which order, and what DNS has to do; change nothing",
    },
    {
      name: "wait-idle",
      value: "duration",
      summary:
        "wait until the old controller has had no request for so long (10m), then remove the old objects",
    },
    {
      name: "wait-at-most",
      value: "duration",
      summary: "give up waiting after so long",
      defaultText: "24h",
    },
    {
      name: "metrics",
      value: "url",
      summary: "where a replica of the old controller shows what it counts, for --wait-idle",
      repeatable: true,
    },
    { name: "moved", summary: "clients have moved: remove the old objects now" },
    { name: "abort", summary: "take the move back" },
    shareHostFlag,
  ],
  examples: [
    "modelswitch migrate --plan",
    "modelswitch migrate",
    "modelswitch migrate --wait-idle 10m --metrics http://10.0.0.7:9100/metrics",
    "modelswitch migrate --abort",
  ],
  output: "long",
  ifInterrupted:
    "Clients are served as before. `modelswitch status` shows the stage; the same command goes on, `modelswitch migrate --abort` takes it back.",
  async run(input, context): Promise<CommandResult> {
    const options = await optionsOf(input, context);
    const rollout = await openRollout(context);
    const { namespace, kubernetesContext } = rollout;
    const about = { model: rollout.config.name, namespace, context: kubernetesContext };
    const words = await import("../../rollout/migration/describe.ts");
    if (input.options.plan === true) {
      const { prepareMigration } = await import("../../rollout/migration/prepare.ts");
      const prepared = await prepareMigration(rollout, options);
      if (!("migration" in prepared)) return alreadyThere(about, describeWay(prepared.way));
      for (const note of prepared.notes) context.events({ type: "warning", ...note });
      return {
        data: { ...about, state: "planned", ...documentOf(prepared), steps: words.plannedSteps(prepared) },
        text: [
          `${words.headline(prepared)}:`,
          ...words.plannedSteps(prepared).map(({ text }, index) => `  ${index + 1}. ${text}`),
          "Nothing was changed.",
        ],
      };
    }
    const startedAt = context.clock.now();
    const [{ migrate: run }, { takeBack }] = await Promise.all([
      import("../../rollout/migration/migrate.ts"),
      import("../../rollout/migration/take-back.ts"),
    ]);
    const asking: MigrateOptions = {
      ...options,
      agree: async (prepared) => {
        for (const note of prepared.notes) context.events({ type: "warning", ...note });
        context.events({ type: "info", message: words.headline(prepared) });
        for (const { text } of words.plannedSteps(prepared)) context.events({ type: "info", message: text });
        return await context.confirm(`This moves ${about.model} in ${namespace}. Continue?`);
      },
    };
    const result = await (input.options.abort === true ? takeBack(rollout, asking) : run(rollout, asking));
    return resultOf(about, result, context.clock.now() - startedAt, context, words.dnsLine);
  },
};

function documentOf({
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

function alreadyThere(about: Readonly<Record<string, unknown>>, way: string): CommandResult {
  return {
    data: { ...about, state: "there" },
    text: [`The router is ${way} already: there is nothing to move.`],
  };
}

function resultOf(
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

type Options = Omit<MigrateOptions, "agree">;

async function optionsOf({ options, lists = {} }: CommandInput, context: CommandContext): Promise<Options> {
  const { to, class: className, gateway } = options;
  refuseContradictions(options);
  const proofHost = options["host-proof"];
  const clients = await clientsOf({ options, lists, arguments: {} }, context);
  return {
    ...(typeof to === "string" ? { to: routerNamed(to) } : {}),
    ...(typeof className === "string" ? { className } : {}),
    ...(typeof gateway === "string" ? { gateway: gatewayRef(gateway) } : {}),
    ...(typeof proofHost === "string" ? { proofHost: await requireHost(proofHost) } : {}),
    endpoints: await requireUrls("endpoint", lists.endpoint ?? []),
    fromEndpoints: await requireUrls("from-endpoint", lists["from-endpoint"] ?? []),
    shareHost: options["share-host"] === true,
    ...(clients === undefined ? {} : { clients }),
  };
}

/** Options of which one makes the other pointless are a mistake of whoever typed them. */
function refuseContradictions(options: CommandInput["options"]): void {
  const given = (...names: readonly string[]) => names.filter((name) => options[name] !== undefined);
  const refuse = (one: string, others: readonly string[]) => {
    const [other] = others;
    if (options[one] !== true || other === undefined) return;
    throw invalid(`The options --${one} and --${other} do not go together.`, `Leave one of them out.`);
  };
  refuse("plan", given("moved", "wait-idle", "abort"));
  refuse("abort", given("to", "class", "gateway", "host-proof"));
}

async function clientsOf(
  { options, lists = {} }: CommandInput,
  context: CommandContext,
): Promise<MigrateOptions["clients"]> {
  const wait = options["wait-idle"];
  const most = options["wait-at-most"];
  if (options.moved === true && typeof wait === "string") {
    throw invalid(
      "The options --moved and --wait-idle say two things: clients have moved, and whether they have is to be found out.",
      "Give one of them.",
    );
  }
  if (options.moved === true) return { kind: "said" };
  if (typeof wait !== "string") {
    if ((lists.metrics ?? []).length > 0 || typeof most === "string")
      throw invalid(
        "--metrics and --wait-at-most are about waiting, and --wait-idle is not given.",
        "For example --wait-idle 10m.",
      );
    return undefined;
  }
  const urls = await requireUrls("metrics", lists.metrics ?? [], true);
  const deadlineMs = typeof most === "string" ? await durationOf("wait-at-most", most) : undefined;
  return {
    kind: "wait",
    idleMs: await durationOf("wait-idle", wait),
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
    sources: urls.map((url) => ({ kind: "url", url })),
    agree: (why) =>
      context.confirm(
        `Nothing has counted the requests of the old controller (${why}). Are the old objects to be removed?`,
      ),
  };
}

async function durationOf(option: string, text: string): Promise<number> {
  const { parseDuration } = await import("../../core/rollout/steps.ts");
  const ms = parseDuration(text);
  if (ms !== undefined && ms > 0) return ms;
  throw invalid(
    `The option --${option} is "${text}", but takes a length of time.`,
    "For example 30s, 10m or 1h.",
  );
}

function routerNamed(text: string): RouterName {
  const found = routerNames.find((name) => name === text);
  if (found !== undefined) return found;
  throw invalid(`There is no router "${text}".`, `The routers are: ${routerNames.join(", ")}.`);
}

/** `infra/edge`, or `edge` in the model's namespace. */
function gatewayRef(text: string): GatewayRef {
  const [first = "", second, ...more] = text.split("/");
  if (more.length > 0 || first === "" || second === "")
    throw invalid(
      `The option --gateway is "${text}", but takes NAME or NAMESPACE/NAME.`,
      "For example --gateway infra/edge.",
    );
  return second === undefined ? { name: first } : { namespace: first, name: second };
}

async function requireHost(text: string): Promise<string> {
  const { hostProblem } = await import("../../config/model/host.ts");
  const problem = text.includes("*") ? "is a wildcard" : hostProblem(text);
  if (problem === undefined) return text;
  throw invalid(
    `The option --host-proof is "${text}", which ${problem}.`,
    "For example --host-proof fraud-proof.example.com.",
  );
}

async function requireUrls(
  option: string,
  urls: readonly string[],
  withPath = false,
): Promise<readonly string[]> {
  for (const text of urls) {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const isHttp = url !== undefined && ["http:", "https:"].includes(url.protocol);
    if (isHttp && (withPath || url.pathname === "/")) continue;
    throw invalid(
      `The option --${option} is "${text}", but takes a URL${withPath ? "" : " without a path"}.`,
      `For example --${option} http://203.0.113.7${withPath ? ":9100/metrics" : ""}.`,
    );
  }
  return urls;
}

function invalid(message: string, hint: string): UserError {
  return new UserError({ code: "argument-invalid", message, hint, exitCode: exitCodes.usage });
}
