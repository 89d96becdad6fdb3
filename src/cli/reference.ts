import type { ArgumentSpec, Command, OptionSpec } from "./command.ts";
import { globalOptionSpecs } from "./global-options.ts";

const intro = `# Commands

<!-- Written by \`npm run docs\` from the commands themselves; change those. -->

Every command is \`modelswitch <command> [options]\`. Results go to stdout, progress and errors to stderr; with \`--json\` all of it
goes to stdout as JSON ([json-output.md](json-output.md)).
What a command does is configured in \`modelswitch.config.ts\` ([configuration.md](configuration.md)).

## Exit codes

| code | meaning                                                          |
| ---- | ---------------------------------------------------------------- |
| 0    | done                                                             |
| 1    | failed: what was wanted is not so                                |
| 2    | the command line or the configuration is wrong, or the account may not; nothing was done |
| 3    | a gate refused the release                                       |
| 4    | locked by another command or person                              |
| 5    | held, or inconclusive                                            |
| 130  | interrupted (Ctrl-C, SIGTERM); the message says what is left     |

Ctrl-C stops a command cleanly. A second one stops it at once. Either way the next command goes on from what is there.

## Which model and environment

Where the configuration has several models or environments, \`--model\` and \`--environment\` (\`-e\`) choose one of each
([configuration.md](configuration.md#environments)). Without a configuration file \`--model\` is enough for commands that
[look, or lead traffic](releases.md#rollback).

## Which cluster

The first of these that is given: \`--cluster NAME\` (a local cluster), \`--kubeconfig FILE\`, \`kubeconfig\` in the configuration file,
\`KUBECONFIG\`, \`~/.kube/config\`, the running local cluster \`default\`. \`--context\` chooses the context of the kubeconfig, before
\`context\` in the configuration file and the kubeconfig's own current context. [clusters.md](clusters.md) has the rules.
`;

/** The reference of all commands, as Markdown. Pure. */
export function cliReference(commands: readonly Command[]): string {
  const sections = commands.map(commandSection);
  return [
    intro,
    "## Global options",
    "",
    "Every command takes these, before or after its name. Each is an environment variable, too: `MODELSWITCH_CONTEXT` for `--context`,",
    "`MODELSWITCH_YES=1` for `--yes`. What stands on the command line wins.",
    "",
    ...globalOptionSpecs.map((spec) => optionLine(spec)),
    "- `-h`, `--help`: show the help",
    "- `-V`, `--version`: print the version",
    "",
    ...sections.flatMap((section) => [...section, ""]),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}

function commandSection(command: Command): string[] {
  const words = (command.arguments ?? []).map(argumentWord).join(" ");
  const list = (title: string, lines: readonly string[]) =>
    lines.length === 0 ? [] : ["", title, "", ...lines];
  return [
    `## ${command.name}`,
    "",
    `\`modelswitch ${[command.name, "[options]", words].filter(Boolean).join(" ")}\``,
    "",
    `${command.summary}.${command.description === undefined ? "" : ` ${command.description}`}`,
    ...list("Arguments:", (command.arguments ?? []).map(argumentLine)),
    ...list(
      "Options:",
      (command.options ?? []).map((spec) => optionLine(spec)),
    ),
    ...(command.ifInterrupted === undefined ? [] : ["", `When it is stopped: ${command.ifInterrupted}`]),
    ...(command.examples === undefined ? [] : ["", "```sh", ...command.examples, "```"]),
  ];
}

function argumentWord(spec: ArgumentSpec): string {
  const name = spec.variadic ? `${spec.name}...` : spec.name;
  return spec.required ? `<${name}>` : `[${name}]`;
}

function argumentLine(spec: ArgumentSpec): string {
  return `- \`${spec.name}\`: ${spec.summary}${choices(spec.choices)}`;
}

function optionLine(spec: OptionSpec): string {
  const { short } = spec;
  const value = spec.value === undefined ? "" : ` <${spec.value}>`;
  const notes = [
    ...(spec.repeatable ? ["may be repeated"] : []),
    ...(spec.defaultText === undefined ? [] : [`default: ${spec.defaultText}`]),
  ];
  const shortForm = short === undefined ? "" : `\`-${short}\`, `;
  const after = notes.length === 0 ? "" : `; ${notes.join("; ")}`;
  return `- ${shortForm}\`--${spec.name}${value}\`: ${spec.summary}${choices(spec.choices)}${after}`;
}

function choices(values: readonly string[] | undefined): string {
  return values === undefined ? "" : ` (${values.map((value) => `\`${value}\``).join(", ")})`;
}
