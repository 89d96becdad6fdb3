import { z } from "zod";
import type { Call } from "../../core/calls.ts";
import { text } from "./schema-parts.ts";

/** What hooks, gates and notifications have in common: programs and addresses. */

/** A value that stands in an environment variable, never in the file. */
export interface FromEnvironment {
  /** Name of the variable. */
  readonly env: string;
}

/** A program of this machine, without a shell between. */
export interface RunConfig {
  /** The program and its arguments. Started in the folder of the configuration file. */
  readonly run: readonly string[];
  readonly url?: never;
  readonly secret?: never;
  readonly insecure?: never;
}

/** A POST request with JSON. */
export interface UrlConfig {
  readonly run?: never;
  /** `https://…`, or `http://` on this machine. */
  readonly url: string;
  /** The key of the signature (Standard Webhooks). @default not signed */
  readonly secret?: FromEnvironment;
  /** Allows `http://` to other machines, where anybody between can read it and answer. @default false */
  readonly insecure?: boolean;
}

export const variable = z
  .strictObject({
    env: z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "is no name of an environment variable")
      .describe("Name of the environment variable"),
  })
  .describe("A value that stands in an environment variable, never in the file");

/** Keys of what is called: `run`, or `url` with what belongs to it. */
export const callShape = {
  run: z
    .array(text("The program, or an argument"))
    .min(1)
    .describe("A program and its arguments, without a shell; started in the folder of this file")
    .optional(),
  url: text("Address that gets a POST request with JSON: https, or http on this machine").optional(),
  secret: variable
    .optional()
    .describe("The environment variable with the key that requests are signed with. Default: not signed"),
  insecure: z
    .boolean()
    .optional()
    .describe("Allows http to other machines, where anybody between can read and answer. Default: false"),
};

/** What is called, with its limits. Pure; what it is given was checked. */
export function callOf(
  config: RunConfig | UrlConfig,
  limits: {
    readonly timeout: number;
    readonly retries: { readonly command: number; readonly webhook: number };
  },
): Call {
  const timeoutMs = limits.timeout * 1000;
  if (config.url !== undefined) {
    const { url, secret } = config;
    return { kind: "webhook", url, secretEnv: secret?.env, timeoutMs, retries: limits.retries.webhook };
  }
  const [program, ...args] = config.run;
  if (program === undefined) throw new Error("A validated configuration names a program.");
  return { kind: "command", run: [program, ...args], timeoutMs, retries: limits.retries.command };
}
