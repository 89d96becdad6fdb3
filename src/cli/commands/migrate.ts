import { exitCodes, UserError } from "../../core/errors.ts";
import { describeWay } from "../../core/migration.ts";
import type { GatewayRef } from "../../core/model.ts";
import { type RouterName, routerNames } from "../../core/router-names.ts";
import type { MigrateOptions } from "../../rollout/migration/migrate.ts";
import type { Command, CommandContext, CommandInput, CommandResult } from "../command.ts";
import { shareHostFlag } from "./live-flags.ts";
import { alreadyThere, documentOf, resultOf } from "./migrate-result.ts";
import { openRollout } from "./rollout-context.ts";

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
