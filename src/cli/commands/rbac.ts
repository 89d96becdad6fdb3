import type { RouterName } from "../../core/router-names.ts";
import type { Command, CommandInput, CommandResult } from "../command.ts";
import type { Subject } from "../rbac/manifests.ts";

export const rbac: Command = {
  name: "rbac",
  summary: "Print the Role that the commands need for this model, and no more",
  description:
    "Prints manifests for `kubectl apply -f -`; asks the cluster nothing. docs/security.md says what each permission is for.",
  options: [
    { name: "read-only", summary: "only what `status`, `plan` and `doctor` need" },
    {
      name: "with-optional",
      summary: "also what makes commands quicker and messages better, with a ClusterRole",
    },
    {
      name: "with-metrics",
      value: "namespace",
      summary:
        "also a Role in the ingress controller's namespace, to compare clients' requests as its pods count them",
      repeatable: true,
    },
    {
      name: "any-name",
      summary: "objects of any name: for several models in the namespace, and programs of your own",
    },
    {
      name: "also-router",
      value: "router",
      summary: "also what this router's objects need, for `migrate`",
      repeatable: true,
    },
    {
      name: "bind",
      value: "kind/name",
      summary: "also bind it to serviceaccount/NAME, user/NAME or group/NAME",
      repeatable: true,
    },
  ],
  examples: [
    "modelswitch rbac --bind serviceaccount/ci",
    "modelswitch rbac --read-only --bind group/data-scientists",
    "modelswitch rbac --with-metrics traefik --bind serviceaccount/ci",
    "modelswitch rbac --bind serviceaccount/ci | kubectl apply -f -",
  ],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  async run(input, context): Promise<CommandResult> {
    const [
      { loadConfig },
      { headerSecretsOf, manifestText, roleManifests, stateSecretsOf },
      { configuredNames },
    ] = await Promise.all([
      import("../load-config.ts"),
      import("../rbac/manifests.ts"),
      import("../../core/names.ts"),
    ]);
    const subjects = await subjectsOf(input);
    const config = await loadConfig(context.globals, context.env);
    const stateSecrets = stateSecretsOf(config);
    const manifests = roleManifests({
      model: config.name,
      names: configuredNames(config),
      router: config.router,
      alsoRouters: await routersOf(input),
      namespace: config.namespace ?? "default",
      readOnly: input.options["read-only"] === true,
      withOptional: input.options["with-optional"] === true,
      metricsNamespaces: input.lists?.["with-metrics"] ?? [],
      anyName: input.options["any-name"] === true,
      headerSecrets: headerSecretsOf(config),
      ...(stateSecrets === undefined ? {} : { stateSecrets }),
      subjects,
    });
    return {
      data: { model: config.name, manifests: manifests.map(({ object }) => object) },
      text: manifestText(manifests).trimEnd().split("\n"),
    };
  },
};

async function routersOf({ lists = {} }: CommandInput): Promise<readonly RouterName[]> {
  const [{ exitCodes, UserError }, { routerNames }] = await Promise.all([
    import("../../core/errors.ts"),
    import("../../core/router-names.ts"),
  ]);
  return (lists["also-router"] ?? []).map((text) => {
    const found = routerNames.find((name) => name === text);
    if (found !== undefined) return found;
    throw new UserError({
      code: "router-unknown",
      message: `There is no router "${text}".`,
      hint: `The routers are: ${routerNames.join(", ")}.`,
      exitCode: exitCodes.usage,
    });
  });
}

const kinds: Readonly<Record<string, Subject["kind"]>> = {
  serviceaccount: "ServiceAccount",
  user: "User",
  group: "Group",
};

async function subjectsOf(input: CommandInput): Promise<readonly Subject[]> {
  const { exitCodes, UserError } = await import("../../core/errors.ts");
  return (input.lists?.bind ?? []).map((text) => {
    const at = text.indexOf("/");
    const kind = kinds[text.slice(0, at).toLowerCase()];
    const name = text.slice(at + 1);
    if (at > 0 && kind !== undefined && name !== "") return { kind, name };
    throw new UserError({
      code: "argument-invalid",
      message: `--bind is "${text}", but takes serviceaccount/NAME, user/NAME or group/NAME.`,
      hint: "For example --bind serviceaccount/ci",
      exitCode: exitCodes.usage,
    });
  });
}
