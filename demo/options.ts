import { parseArgs } from "node:util";
import { exitCodes, messageOf, UserError } from "../src/core/errors.ts";

export interface DemoOptions {
  /** The tiny test server instead of MLServer. */
  readonly fast: boolean;
  /** Name of the local cluster. */
  readonly cluster: string;
  /** Where the project of the demo is made, in `.modelswitch`. @default this checkout */
  readonly folder: string | undefined;
  readonly json: boolean;
  /** Seconds of steady load between switches. */
  readonly steadySeconds: number;
  /** Fixed rate instead of a calibrated one. */
  readonly ratePerSecond: number | undefined;
}

export const usage = `Usage: npm run demo -- [options]

A real model in a real model server on a real Kubernetes on this machine, switched from blue to green, back, and
again under constant load. Ends with exit code 0 when no request has failed.

  --fast           a tiny model server instead of MLServer: no image build of minutes
  --cluster NAME   local cluster to use or start (default: demo)
  --folder FOLDER  where the project, its state and the report go, in .modelswitch (default: this checkout)
  --rate N         requests per second (default: what the machine sustains)
  --steady N       seconds of load between switches (default: 5)
  --json           print events and the report as JSON lines
  --help           print this
`;

/** @throws UserError `demo-usage` */
export function parseOptions(words: readonly string[]): DemoOptions | "help" {
  let values: ReturnType<typeof parse>;
  try {
    values = parse(words);
  } catch (error) {
    throw misused(messageOf(error));
  }
  if (values.help === true) return "help";
  return {
    fast: values.fast === true,
    cluster: values.cluster ?? "demo",
    folder: values.folder,
    json: values.json === true,
    steadySeconds: number("--steady", values.steady, 1, 600) ?? 5,
    ratePerSecond: number("--rate", values.rate, 1, 2000),
  };
}

function parse(words: readonly string[]) {
  return parseArgs({
    args: [...words],
    options: {
      fast: { type: "boolean" },
      cluster: { type: "string" },
      folder: { type: "string" },
      rate: { type: "string" },
      steady: { type: "string" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  }).values;
}

function number(name: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (text.trim() !== "" && value >= least && value <= most) return value;
  throw misused(`${name} must be a number from ${least} to ${most}, not "${text}".`);
}

function misused(message: string): UserError {
  return new UserError({
    code: "demo-usage",
    message,
    hint: "`npm run demo -- --help` lists the options.",
    exitCode: exitCodes.usage,
  });
}
