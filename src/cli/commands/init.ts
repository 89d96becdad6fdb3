import { presetNames, withoutIdentity } from "../../component/servers/preset-server.ts";
import type { ModelswitchConfig } from "../../config/model/types.ts";
import { defaults } from "../../core/defaults.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import type { Command, CommandContext, CommandInput, CommandResult } from "../command.ts";
import type { Prefill, ServerChoice } from "../init/answers.ts";
import type { Proposal } from "../router/propose.ts";

export const init: Command = {
  name: "init",
  summary: "Write a modelswitch.config.ts from your answers, or from what runs in the cluster",
  description:
    "Asks on a terminal for what the options leave open; elsewhere it takes the defaults. An existing file is only overwritten with --force. The cluster is read, never changed. With --from it describes what runs and shows how `modelswitch adopt` would take it over.",
  options: [
    {
      name: "name",
      value: "name",
      summary: "name of the model",
      defaultText: "the Ingress's, else the folder's",
    },
    { name: "image", value: "image", summary: "image of the model server with the model" },
    { name: "host", value: "host", summary: "host name that clients use", defaultText: "NAME.example.com" },
    {
      name: "server",
      value: "preset",
      summary: "model server",
      choices: [...presetNames, "custom"],
      defaultText: "mlserver; with --from what is recognised, else custom as it runs",
    },
    {
      name: "namespace",
      value: "namespace",
      summary: "namespace of the model",
      defaultText: "the context's",
    },
    {
      name: "from",
      value: "ingress/NAME",
      summary: "describe the Deployment, Service and Ingress that run, to take them over",
    },
    { name: "force", summary: "overwrite an existing file" },
  ],
  examples: [
    "modelswitch init",
    "modelswitch init --name fraud --image registry.example.com/fraud:1.4 --host mlmodels.example.com",
    "modelswitch init --from ingress/fraud --namespace ml",
  ],
  output: "query",
  ifInterrupted: "Nothing was written.",
  run: (input, context) => scaffold(input, context),
};

async function scaffold(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const [{ resolve }, { refuseExisting, writeFiles }, { configText }] = await Promise.all([
    import("node:path"),
    import("../init/files.ts"),
    import("../init/template.ts"),
  ]);
  const { folder } = context.globals;
  const file = resolve(folder, context.globals.configPath ?? "modelswitch.config.ts");
  refuseExisting(folder, file, input.options.force === true);

  const ingressName = ingressOf(input.options.from);
  if (ingressName !== undefined) return await scaffoldFrom(ingressName, file, input, context);
  const prefill = await fromCluster(input, context);
  const answers = await ask(input, context, prefill);
  const text = configText(answers, prefill.port);
  const { gitignore, config } = await writeFiles(folder, file, text, context.signal);

  const { isExampleHost } = await import("../../config/model/host.ts");
  const change = [
    ...(isExampleHost(answers.host)
      ? [`ingress.host: ${answers.host} is an example; set the host that clients use`]
      : []),
    ...(answers.server === "custom"
      ? ["server: port, readiness path and identity of your model server"]
      : []),
    ...(withoutIdentity.includes(answers.server)
      ? [`identity: how an answer is recognised as blue's or green's; docs/servers/${answers.server}.md`]
      : []),
    ...(answers.routing?.needsEndpoints === true
      ? ["ingress.endpoints: the address where clients connect; nothing in the cluster says it"]
      : []),
    ...(answers.image === placeholderImage(answers.name)
      ? ["release.image: the image of your model server"]
      : []),
  ];
  return {
    data: { file, gitignore, config, toChange: change },
    text: [
      `Wrote ${file}${gitignore ? ", and .modelswitch/ into .gitignore" : ""}.`,
      ...(change.length === 0 ? [] : ["Check in it:", ...change.map((line) => `  ${line}`)]),
      "Next:",
      "  modelswitch doctor   # what is missing",
      "  modelswitch plan     # what would change",
      "  modelswitch up       # two identical environments, routing to the live one",
    ],
  };
}

/** Writes what runs behind an Ingress, and shows how it would be taken over. */
async function scaffoldFrom(
  ingressName: string,
  file: string,
  input: CommandInput,
  context: CommandContext,
): Promise<CommandResult> {
  const [{ writeFiles }, { scaffoldFromIngress }] = await Promise.all([
    import("../init/files.ts"),
    import("../init/from-ingress.ts"),
  ]);
  const { folder } = context.globals;
  const { text, plan, toCheck } = await scaffoldFromIngress(ingressName, input, context);
  const { gitignore, config } = await writeFiles(folder, file, text, context.signal);
  return {
    data: {
      file,
      gitignore,
      config: withoutVariables(config),
      plan,
      toChange: toCheck,
    },
    text: [
      `Wrote ${file}${gitignore ? ", and .modelswitch/ into .gitignore" : ""}. Nothing in the cluster was changed.`,
      "",
      "`modelswitch adopt` would do this:",
      ...plan.map((line) => `  ${line}`),
      "",
      ...(toCheck.length === 0 ? [] : ["Check in the file:", ...toCheck.map((line) => `  ${line}`)]),
      "Next:",
      "  modelswitch adopt    # shows this once more, asks, and takes it under management",
    ],
  };
}

/** What runs may have secrets in its environment, and output is kept in logs. */
function withoutVariables(config: ModelswitchConfig): unknown {
  return JSON.parse(
    JSON.stringify(config, (key, value: unknown) =>
      key === "env" && typeof value === "object" && value !== null
        ? Object.fromEntries(Object.keys(value).map((name) => [name, "[hidden]"]))
        : value,
    ),
  );
}

function ingressOf(from: string | true | undefined): string | undefined {
  return typeof from === "string" ? /^ingress\/([^/]+)$/i.exec(from)?.[1] : undefined;
}

const placeholderImage = (name: string) => `registry.example.com/${name}:1.0`;

/** What the cluster tells; nothing when none is reached. */
async function fromCluster(input: CommandInput, context: CommandContext): Promise<Prefill> {
  const { exitCodes, UserError } = await import("../../core/errors.ts");
  const { from } = input.options;
  if (typeof from === "string") {
    throw new UserError({
      code: "argument-invalid",
      message: `--from is "${from}", but takes ingress/NAME.`,
      hint: "For example --from ingress/fraud",
      exitCode: exitCodes.usage,
    });
  }
  try {
    const [{ resolveKubeconfig }, { connect }, { describeRunning, prefillFrom, whatRuns }] =
      await Promise.all([
        import("../kubeconfig.ts"),
        import("../../kubernetes/connect.ts"),
        import("../init/discover.ts"),
      ]);
    const connection = connect(await resolveKubeconfig(context.globals, context.env));
    const wanted = input.options.namespace;
    const namespace = typeof wanted === "string" ? wanted : connection.namespace;
    const [running, routing] = await Promise.all([
      whatRuns(connection.api, namespace, context.signal),
      fittingRouter(connection.api, context),
    ]);
    for (const message of describeRunning(running, namespace)) context.events({ type: "info", message });
    const names = running.ingresses.map(({ metadata }) => metadata?.name ?? "");
    const found: Prefill = routing === undefined ? {} : { routing };
    if (names.length === 0) return found;
    const chosen = await context.ask(
      `Take over name, image and host of an Ingress (${names.join(", ")})? Its name`,
      "",
    );
    // An Ingress that is there is taken with the class that it has.
    return chosen === "" ? found : prefillFrom(chosen, running, namespace);
  } catch (error) {
    if (context.signal.aborted) throw error;
    // A cluster is a help here, not a need; which one is meant may be said later.
    if (error instanceof UserError && error.code === "from-unknown") throw error;
    return {};
  }
}

/** The router for what takes requests in the cluster; `undefined`: nothing is found, or it may not be looked at. */
async function fittingRouter(
  api: KubernetesApi,
  { events, signal }: CommandContext,
): Promise<Proposal | undefined> {
  const [{ findControllers }, { proposalText, proposeRouters }] = await Promise.all([
    import("../router/found.ts"),
    import("../router/propose.ts"),
  ]);
  const [best, ...others] = proposeRouters(await findControllers(api, signal));
  if (best === undefined) return undefined;
  events({ type: "info", message: `Found: ${proposalText(best)}.` });
  for (const other of others) events({ type: "info", message: `Also there: ${proposalText(other)}.` });
  return best;
}

async function ask(input: CommandInput, context: CommandContext, prefill: Prefill) {
  const [{ basename }, { answerProblems, isServerChoice, suggestName }, { exitCodes, UserError }] =
    await Promise.all([import("node:path"), import("../init/answers.ts"), import("../../core/errors.ts")]);
  /** The option, else the answer, asked for again until it is valid. */
  const valid = async (
    key: "name" | "image" | "host",
    question: string,
    suggestion: string,
  ): Promise<string> => {
    const given = input.options[key];
    const check = answerProblems[key];
    const refuse = (message: string) =>
      new UserError({
        code: "argument-invalid",
        message: `--${key}: ${message}.`,
        exitCode: exitCodes.usage,
      });
    if (typeof given === "string") {
      const problem = check(given);
      if (problem !== undefined) throw refuse(problem);
      return given;
    }
    let last: string | undefined;
    for (;;) {
      const answer = await context.ask(question, suggestion);
      const problem = check(answer);
      if (problem === undefined) return answer;
      // The same wrong answer twice: there is nobody to correct it.
      if (answer === last) throw refuse(problem);
      last = answer;
      context.events({ type: "warning", code: "argument-invalid", message: problem });
    }
  };
  const name = await valid(
    "name",
    "Name of the model",
    suggestName(prefill.name ?? basename(context.globals.folder)),
  );
  const image = await valid("image", "Image of the model server", prefill.image ?? placeholderImage(name));
  const host = await valid("host", "Host name that clients use", prefill.host ?? `${name}.example.com`);
  const chosen = input.options.server;
  const wanted =
    typeof chosen === "string"
      ? chosen
      : await context.ask(`Model server (${presetNames.join(", ")} or custom)`, "mlserver");
  const server: ServerChoice = isServerChoice(wanted) ? wanted : "custom";
  if (server !== wanted) {
    context.events({
      type: "warning",
      code: "argument-invalid",
      message: `"${wanted}" is no preset; taking custom, for any server over HTTP.`,
    });
  }
  const { namespace } = input.options;
  const className = prefill.className ?? prefill.routing?.ingress.className;
  return {
    name,
    image,
    host,
    server,
    namespace: typeof namespace === "string" ? namespace : undefined,
    className: className === defaults.ingress.className ? undefined : className,
    routing: prefill.routing,
  };
}
