import type { Command, CommandContext, CommandInput, CommandResult } from "../command.ts";

export const routerTest: Command = {
  name: "router test",
  summary:
    "Try the configuration's router, for example one of your own, with the checks that every built-in one passes",
  description:
    "Goes through all routings that there are (every share, from every slot to every slot) and says what a release would trip over: shares that are not read back, steps of more than one write, objects of others taken for its own. Changes nothing. With --on-cluster the API server judges the objects too, as a dry run. Exit code 1 where a check failed.",
  options: [
    { name: "on-cluster", summary: "also let the cluster judge every field of the objects; stores nothing" },
  ],
  examples: ["modelswitch router test", "modelswitch router test --on-cluster --json"],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  run: (input, context) => test(input, context),
};

async function test(input: CommandInput, context: CommandContext): Promise<CommandResult> {
  const [
    { readConfig },
    { requestOf, resolveRead },
    { resolveConfig },
    { configuredNames },
    { routerNamed },
    { settledOn },
    { tryRouter, tryOnCluster },
  ] = await Promise.all([
    import("../../config/file/read.ts"),
    import("../load-config.ts"),
    import("../../config/model/resolve.ts"),
    import("../../core/names.ts"),
    import("../../component/routers/factory.ts"),
    import("../../core/routing.ts"),
    import("../router/try-router.ts"),
  ]);
  const { globals, env, signal } = context;
  const read = await readConfig(requestOf(globals, env));
  const onCluster = input.options["on-cluster"] === true;
  const config = onCluster
    ? await resolveRead(read, globals, env)
    : resolveConfig(read.config, { file: read.file, kubeconfig: {}, contextNamespace: undefined });
  const router = routerNamed(config.router);
  const namespace = config.namespace ?? "default";
  const routerInput = {
    model: config.name,
    names: configuredNames(config),
    namespace,
    routing: settledOn(config.initialLive),
    ingress: config.ingress,
    previewHeader: config.previewHeader,
    servicePort: config.servicePort,
    testers: config.routing?.testers,
  };
  const checks = [...tryRouter(router, routerInput)];
  if (onCluster) {
    const { connect } = await import("../../kubernetes/connect.ts");
    const { api } = connect(config.kubeconfig);
    checks.push(await tryOnCluster(router, routerInput, { api, namespace, signal }));
  }
  const failed = checks.filter(({ state }) => state === "failed").length;
  return {
    exitCode: failed === 0 ? 0 : 1,
    data: { router: config.router, model: config.name, checks, failed },
    text: [
      ...checks.flatMap(({ name, state, details }) => [
        `${state === "ok" ? "ok    " : "failed"}  ${name}`,
        ...details.map((detail) => `          ${detail}`),
      ]),
      "",
      failed === 0
        ? `The router "${config.router}" passes all ${checks.length} checks.`
        : `The router "${config.router}" fails ${failed} of ${checks.length} checks.`,
    ],
  };
}
