import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { exitCodes, messageOf, UserError } from "../core/errors.ts";
import { type ObtainOptions, obtainTool } from "./obtain.ts";

/** The Pulumi CLI on this machine. */
export interface Pulumi {
  readonly program: string;
  readonly version: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Finds the CLI, or obtains it; MODELSWITCH_PULUMI names one that is taken as it is. */
export async function ensurePulumi(options: ObtainOptions): Promise<Pulumi> {
  const named = options.env.MODELSWITCH_PULUMI;
  if (named !== undefined && named !== "") return await namedPulumi(named, options.signal);
  const tool = await obtainTool("pulumi", "Pulumi CLI", options);
  const program = tool.programs.pulumi;
  if (program === undefined) throw new Error("the tool pulumi has no program pulumi");
  return { program, version: tool.version.replace(/^v/, ""), env: tool.env };
}

async function namedPulumi(file: string, signal: AbortSignal): Promise<Pulumi> {
  const program = resolve(file);
  try {
    const { stdout } = await promisify(execFile)(program, ["version"], {
      signal,
      timeout: 30_000,
      env: { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" },
    });
    return { program, version: stdout.trim().replace(/^v/, ""), env: {} };
  } catch (error) {
    throw new UserError({
      code: "pulumi-unusable",
      message: `MODELSWITCH_PULUMI names ${program}, which does not run: ${messageOf(error)}`,
      hint: "Name a Pulumi CLI, or leave the variable unset: modelswitch then finds or obtains one.",
      exitCode: exitCodes.usage,
      cause: error,
    });
  }
}
