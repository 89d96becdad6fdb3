import { Argument, Command as Commander, CommanderError, Option } from "commander";
import { exitCodes, UserError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { ArgumentSpec, Command, CommandInput, OptionSpec } from "./command.ts";
import { globalOptionSpecs } from "./global-options.ts";

/** What the command line asks for. */
export type Parsed =
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "command";
      readonly command: Command;
      readonly input: CommandInput;
      readonly globals: Readonly<Record<string, unknown>>;
    };

/** Words that group commands, for example `cluster up`. */
const groupSummaries: Readonly<Record<string, string>> = {
  config: "The configuration: what applies, where it comes from, what is wrong with it",
  state: "Pulumi's state of the model: where it is, and taking it out and in",
  cluster: "A real Kubernetes on this machine, for trying things out and for tests",
};

/**
 * Reads the command line.
 * @throws UserError `unknown-command`, `unknown-option`, `argument-missing`, `argument-invalid` (exit code 2)
 */
export async function parseCommandLine(
  commands: readonly Command[],
  argv: readonly string[],
  version: string,
): Promise<Parsed> {
  let output = "";
  let parsed: Parsed | undefined;
  const configure = (commander: Commander): Commander =>
    commander
      .exitOverride()
      .enablePositionalOptions()
      .helpCommand(false)
      .configureOutput({ writeOut: (text) => (output += text), writeErr: () => {}, outputError: () => {} })
      .configureHelp({ helpWidth: 110, sortOptions: false })
      .helpOption("-h, --help", "show this help");

  const program = configure(new Commander("modelswitch"))
    .description("Blue-green deployments of ML models on Kubernetes.")
    .usage("<command> [options]")
    .version(version, "-V, --version", "print the version");
  for (const spec of globalOptionSpecs) program.addOption(toOption(spec));
  program.addHelpText("after", "\n`modelswitch <command> --help` shows the options of a command.");

  const groups = new Map<string, Commander>();
  for (const command of commands) {
    const words = command.name.split(" ");
    const leaf = words.at(-1) ?? command.name;
    let parent = program;
    for (const word of words.slice(0, -1)) {
      let group = groups.get(word);
      if (group === undefined) {
        group = configure(parent.command(word)).description(groupSummaries[word] ?? "");
        group.usage("<command> [options]");
        group.action((_options, self: Commander) => unknownCommand(self, commands, word));
        group.allowExcessArguments().allowUnknownOption();
        groups.set(word, group);
      }
      parent = group;
    }
    const own = configure(parent.command(leaf)).summary(command.summary);
    // Hundreds of options take a while to make, and of most commands only the names are asked for.
    if (words.every((word) => argv.includes(word)))
      addCommand(own, command, (result) => {
        parsed = result;
      });
    // A command may be the group of others, too: `report`, `report sign`.
    if (parent === program) groups.set(leaf, own);
  }
  program.action(() => unknownCommand(program, commands, undefined));
  program.allowExcessArguments();

  try {
    await program.parseAsync(helpWords(argv), { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "text", text: output };
    throw usageError(error, commands, argv);
  }
  return parsed ?? { kind: "text", text: output };

  function unknownCommand(self: Commander, known: readonly Command[], group: string | undefined): void {
    const word = self.args[0];
    if (word === undefined) {
      self.outputHelp();
      return;
    }
    const prefix = group === undefined ? "" : `${group} `;
    const depth = group === undefined ? 1 : 2;
    const names = known
      .filter(({ name }) => name.startsWith(prefix))
      .map(({ name }) => name.split(" ").slice(0, depth).join(" "));
    throw new UserError({
      code: "unknown-command",
      message: `There is no command "${prefix}${word}"${didYouMean(`${prefix}${word}`, new Set(names)) || "."}`,
      hint: `\`modelswitch ${prefix}--help\` lists all commands.`,
      exitCode: exitCodes.usage,
    });
  }
}

/** `help switch` is `switch --help`. */
function helpWords(argv: readonly string[]): string[] {
  return argv[0] === "help" ? [...argv.slice(1), "--help"] : [...argv];
}

function addCommand(commander: Commander, command: Command, onParsed: (parsed: Parsed) => void): void {
  commander.description([`${command.summary}.`, command.description].filter(Boolean).join("\n\n"));
  for (const spec of command.arguments ?? []) commander.addArgument(toArgument(spec));
  if (command.arguments?.some((spec) => spec.variadic)) commander.passThroughOptions();
  for (const spec of command.options ?? []) commander.addOption(toOption(spec));
  const own = new Set((command.options ?? []).map((spec) => spec.name));
  for (const spec of globalOptionSpecs) {
    if (own.has(spec.name)) continue;
    commander.addOption(toOption(spec).helpGroup("Global options:"));
  }
  if (command.examples !== undefined) {
    commander.addHelpText(
      "after",
      `\nExamples:\n${command.examples.map((example) => `  ${example}`).join("\n")}`,
    );
  }
  commander.action(() => {
    const all = commander.opts<Record<string, unknown>>();
    const input = readInput(command, commander.args, all);
    // Global options may stand before the command and after it; those after it win.
    const globals = { ...withoutUndefined(parentOptions(commander)) };
    for (const spec of globalOptionSpecs) {
      if (!own.has(spec.name) && all[spec.name] !== undefined) globals[spec.name] = all[spec.name];
    }
    onParsed({ kind: "command", command, input, globals });
  });
}

function parentOptions(commander: Commander): Record<string, unknown> {
  const parent = commander.parent;
  return parent === null ? {} : { ...parentOptions(parent), ...parent.opts<Record<string, unknown>>() };
}

function withoutUndefined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** An option whose value is kept under the name that the user writes. */
class NamedOption extends Option {
  override attributeName(): string {
    return this.long?.replace(/^--/, "") ?? this.name();
  }
}

function toOption(spec: OptionSpec): Option {
  const { short } = spec;
  const flags = `${short === undefined ? "" : `-${short}, `}--${spec.name}${spec.value === undefined ? "" : ` <${spec.value}>`}`;
  const notes = [
    ...(spec.choices === undefined ? [] : [`one of ${spec.choices.join(", ")}`]),
    ...(spec.repeatable ? ["may be repeated"] : []),
    ...(spec.defaultText === undefined ? [] : [`default: ${spec.defaultText}`]),
  ];
  const option = new NamedOption(
    flags,
    notes.length === 0 ? spec.summary : `${spec.summary} (${notes.join("; ")})`,
  );
  // `--no-color` is a flag by that name here, not the negation of another.
  option.negate = false;
  if (spec.repeatable)
    option.argParser((value: string, all: string[] | undefined) => [...(all ?? []), value]);
  return option;
}

function toArgument(spec: ArgumentSpec): Argument {
  const name = spec.variadic ? `${spec.name}...` : spec.name;
  const choices = spec.choices === undefined ? "" : ` (one of ${spec.choices.join(", ")})`;
  return new Argument(spec.required ? `<${name}>` : `[${name}]`, `${spec.summary}${choices}`);
}

function readInput(
  command: Command,
  words: readonly string[],
  values: Record<string, unknown>,
): CommandInput {
  const args: Record<string, string | undefined> = {};
  let rest: readonly string[] = [];
  for (const [index, spec] of (command.arguments ?? []).entries()) {
    if (spec.variadic) rest = words.slice(words[index] === "--" ? index + 1 : index);
    else args[spec.name] = checked(spec.name, words[index], spec.choices, "argument");
  }
  const options: Record<string, string | true | undefined> = {};
  const lists: Record<string, readonly string[]> = {};
  for (const spec of command.options ?? []) {
    const value = values[spec.name];
    if (spec.repeatable) {
      const list = Array.isArray(value) ? value.map(String) : [];
      for (const entry of list) checked(`--${spec.name}`, entry, spec.choices, "option");
      lists[spec.name] = list;
    } else if (typeof value === "string") {
      options[spec.name] = checked(`--${spec.name}`, value, spec.choices, "option");
    } else if (value === true) options[spec.name] = true;
  }
  return { arguments: args, options, rest, lists };
}

function checked(
  name: string,
  value: string | undefined,
  choices: readonly string[] | undefined,
  kind: "argument" | "option",
): string | undefined {
  if (value === undefined || choices === undefined || choices.includes(value)) return value;
  throw new UserError({
    code: "argument-invalid",
    message: `The ${kind} ${name} is "${value}", which is none of ${choices.join(", ")}${didYouMean(value, choices) || "."}`,
    exitCode: exitCodes.usage,
  });
}

/** Commander's message in our form: what, and the nearest alternative. */
function usageError(error: CommanderError, commands: readonly Command[], argv: readonly string[]): UserError {
  const message = (error.message.replace(/^error: /, "").split("\n")[0] ?? "").replaceAll("'", '"');
  const command = commandIn(argv, commands);
  const known = [...globalOptionSpecs, ...(command?.options ?? [])].map((spec) => `--${spec.name}`);
  const option = /^unknown option "([^"]+)"/.exec(message)?.[1];
  const text = `${message[0]?.toUpperCase()}${message.slice(1)}`;
  return new UserError({
    code: codes[error.code] ?? "argument-invalid",
    message: option === undefined ? `${text}.` : `${text}${didYouMean(option, known) || "."}`,
    hint: `\`modelswitch ${command === undefined ? "" : `${command.name} `}--help\` shows how it is used.`,
    exitCode: exitCodes.usage,
  });
}

/** The command whose words stand in the command line, the most specific one. */
function commandIn(argv: readonly string[], commands: readonly Command[]): Command | undefined {
  const words = ` ${argv.join(" ")} `;
  return commands
    .filter(({ name }) => words.includes(` ${name} `))
    .sort((a, b) => b.name.length - a.name.length)[0];
}

const codes: Readonly<Record<string, string>> = {
  "commander.unknownOption": "unknown-option",
  "commander.unknownCommand": "unknown-command",
  "commander.missingArgument": "argument-missing",
  "commander.missingMandatoryOptionValue": "argument-missing",
  "commander.optionMissingArgument": "argument-missing",
  "commander.excessArguments": "argument-invalid",
};
