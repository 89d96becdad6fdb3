import type { Command, CommandContext, CommandResult } from "../command.ts";

export const configValidate: Command = {
  name: "config validate",
  summary: "Check the configuration: every model in every environment, at once",
  description:
    "Names every mistake with its file, key and value, and ends with exit code 2 if there is one. Also finds models and environments that would share objects or a Pulumi stack, and looks at the files that are named: contents of ConfigMaps, programs of hooks and gates, kubeconfigs. The cluster is not asked.",
  examples: ["modelswitch config validate", "modelswitch config validate --json"],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  run: (_input, context) => validate(context),
};

async function validate(context: CommandContext): Promise<CommandResult> {
  const [
    { readProject, undeclaredOverlays },
    { readTargets, summarized },
    { conflicts, nameOf },
    { invalidConfig },
    { identityProblems },
  ] = await Promise.all([
    import("../../config/file/read.ts"),
    import("../../config/report/check.ts"),
    import("../../config/report/conflicts.ts"),
    import("../../config/model/validate.ts"),
    import("../../config/report/identity-problems.ts"),
  ]);
  const [{ requestOf }, { claimsOf }, { namedFiles }] = await Promise.all([
    import("../load-config.ts"),
    import("../claims.ts"),
    import("../named-files.ts"),
  ]);
  const { globals, env, events } = context;
  const open = await readProject(requestOf({ ...globals, model: undefined, environment: undefined }, env));
  const { project } = open;
  for (const warning of open.warnings) events({ type: "warning", ...warning });
  const undeclared = await undeclaredOverlays(project);
  for (const { file, environment } of undeclared) {
    events({
      type: "warning",
      code: "environment-undeclared",
      message: `${file} belongs to no environment: ${project.file} does not declare ${environment}.`,
      hint: `Add environments: { "${environment}": {} } to it, or remove the file.`,
    });
  }

  const { effective, problems } = await readTargets(open);
  const claims = (await Promise.all(effective.map((one) => claimsOf(one, project.file, env)))).filter(
    (claim) => claim !== undefined,
  );
  const files = await Promise.all(effective.map((one) => namedFiles(one, project.file, env)));
  const missing = new Map(
    files.flatMap(({ warnings }) => warnings).map((warning) => [warning.message, warning]),
  );
  for (const warning of missing.values()) events({ type: "warning", ...warning });
  const all = [
    ...project.problems.map((problem) => ({ ...problem, file: project.file })),
    ...effective.flatMap((one) => [...one.problems, ...identityProblems(one, project.file)]),
    ...problems,
    ...files.flatMap((one) => one.problems),
    ...conflicts(project, claims, claims),
  ];
  if (all.length > 0) throw invalidConfig(summarized(project, all));
  const stacks = claims.map(({ target, stack }) => ({ ...target, stack: stack.text }));
  return {
    data: {
      file: project.file,
      targets: stacks.map(({ model, environment, stack }) => ({
        model,
        environment: environment ?? null,
        stack,
      })),
      warnings: [...open.warnings, ...undeclared, ...missing.values()].length,
    },
    text: [
      `${project.file} is valid: ${counted(project.models.size, "model")}${
        project.environments.size === 0 ? "" : ` in ${counted(project.environments.size, "environment")}`
      }.`,
      ...stacks.map((target) => `  ${nameOf(target)}: ${target.stack}`),
    ],
  };
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
