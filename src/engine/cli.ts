import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { exitCodes, messageOf, UserError } from "../core/errors.ts";
import { type EventSink, endedBy, type StepEvent } from "../core/events.ts";
import { cacheFolder, ensureTool } from "../tools/ensure.ts";

/** The Pulumi CLI on this machine. */
export interface Pulumi {
  readonly program: string;
  readonly version: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Finds the CLI, or obtains it; MODELSWITCH_PULUMI names one that is taken as it is. A step is shown only when there is something to wait for. */
export async function ensurePulumi(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}): Promise<Pulumi> {
  const { events, signal } = options;
  const named = options.env.MODELSWITCH_PULUMI;
  if (named !== undefined && named !== "") return await namedPulumi(named, signal);
  const about = { type: "step", id: "pulumi-cli", title: "Pulumi CLI" } as const;
  let isShown = false;
  const progress = (update: Pick<StepEvent, "detail" | "progress" | "remainingMs">) => {
    if (!isShown) events({ ...about, state: "started" });
    isShown = true;
    events({ ...about, state: "progress", ...update });
  };
  try {
    const tool = await ensureTool("pulumi", { cacheFolder: cacheFolder(options.env), signal, progress });
    const program = tool.programs.pulumi;
    if (program === undefined) throw new Error("the tool pulumi has no program pulumi");
    if (isShown) events({ ...about, state: "done", detail: `${tool.version} (${tool.origin})` });
    return { program, version: tool.version.replace(/^v/, ""), env: tool.env };
  } catch (error) {
    if (isShown) events({ ...about, ...endedBy(error) });
    throw error;
  }
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
