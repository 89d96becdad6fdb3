import type { Clock } from "../core/clock.ts";
import type { ExitCode } from "../core/errors.ts";
import type { EventSink } from "../core/events.ts";
import type { Screen } from "./output/screen.ts";

/** An argument by position. */
export interface ArgumentSpec {
  readonly name: string;
  readonly summary: string;
  readonly required: boolean;
  readonly choices?: readonly string[];
  /** Takes all words that are left; they are in `CommandInput.rest`. Only the last argument can. */
  readonly variadic?: boolean;
}

/** An option of one command, `--name` or `--name <value>`. */
export interface OptionSpec {
  /** Without dashes, kebab-case. */
  readonly name: string;
  readonly summary: string;
  /** One letter, for `-f` beside `--follow`. */
  readonly short?: string;
  /** Placeholder of the value; absent for a flag. */
  readonly value?: string;
  readonly choices?: readonly string[];
  /** As shown in the help. */
  readonly defaultText?: string;
  /** May be given several times; the values are in `CommandInput.lists`. */
  readonly repeatable?: boolean;
}

/** Options that every command takes. */
export interface GlobalOptions {
  /** Folder to look for modelswitch.config.* in, and the Pulumi project's. @default the current folder */
  readonly folder: string;
  /** Configuration file. @default modelswitch.config.ts in `folder` */
  readonly configPath: string | undefined;
  readonly kubeconfigPath: string | undefined;
  readonly context: string | undefined;
  /** Name of a local cluster made by `modelswitch cluster up`. */
  readonly cluster: string | undefined;
  /** Model of the configuration file. @default the only one */
  readonly model: string | undefined;
  /** Environment of the configuration file. @default its `defaultEnvironment`, else the only one */
  readonly environment: string | undefined;
  /** By what an option was given: `--context`, or `MODELSWITCH_CONTEXT`. */
  readonly given?: Readonly<Record<string, string>>;
  readonly json: boolean;
  readonly debug: boolean;
  /** Answers yes to every question. */
  readonly yes: boolean;
}

/** Everything a command may touch. No globals, no `process` in commands. */
export interface CommandContext {
  readonly globals: GlobalOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly events: EventSink;
  /** For answers that are shown while the command goes on; others are returned. */
  readonly screen: Screen;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
  /** Asks the user; without a terminal and without `--yes` it throws the usage error `confirmation-needed`. */
  confirm(question: string): Promise<boolean>;
  /** Asks for one line; without a terminal, and with `--yes`, the answer is `suggestion`. */
  ask(question: string, suggestion: string): Promise<string>;
  /** Asks for a secret without echo; without a terminal it throws the usage error given. */
  askSecret(question: string, ifNoTerminal: () => Error): Promise<string>;
}

export interface CommandInput {
  readonly arguments: Readonly<Record<string, string | undefined>>;
  /** Values of options by name; flags are `true`. */
  readonly options: Readonly<Record<string, string | true | undefined>>;
  /** Words of a variadic argument. */
  readonly rest?: readonly string[];
  /** Values of repeatable options by name. */
  readonly lists?: Readonly<Record<string, readonly string[]>>;
}

export interface CommandResult {
  /** @default 0 */
  readonly exitCode?: ExitCode;
  /** The document of `--json`; `schemaVersion` is added by the renderer. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Lines for people. */
  readonly text: readonly string[];
  /** Everything was shown while the command ran. @default false */
  readonly isShown?: boolean;
}

/** A command is data and a handler. */
export interface Command {
  /** Words after `modelswitch`, for example `switch` or `cluster up`. */
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly arguments?: readonly ArgumentSpec[];
  readonly options?: readonly OptionSpec[];
  readonly examples?: readonly string[];
  /** A query prints one JSON document; a long command prints NDJSON events and a last `result`. */
  readonly output: "query" | "long";
  /** What a user who stops the command has to know: the state that is left and how to go on. */
  readonly ifInterrupted?: string;
  run(input: CommandInput, context: CommandContext): Promise<CommandResult>;
}
