import { type EventSink, endedBy, type StepEvent } from "../core/events.ts";
import { cacheFolder, ensureTool } from "../tools/ensure.ts";
import type { Tool, ToolName } from "../tools/tool.ts";

export interface ObtainOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly events: EventSink;
  readonly signal: AbortSignal;
}

/** Finds a tool, or obtains it. A step is shown only when there is something to wait for. */
export async function obtainTool(
  name: ToolName,
  title: string,
  { env, events, signal }: ObtainOptions,
): Promise<Tool> {
  const about = { type: "step", id: name === "pulumi" ? "pulumi-cli" : name, title } as const;
  let isShown = false;
  const progress = (update: Pick<StepEvent, "detail" | "progress" | "remainingMs">) => {
    if (!isShown) events({ ...about, state: "started" });
    isShown = true;
    events({ ...about, state: "progress", ...update });
  };
  try {
    const tool = await ensureTool(name, { cacheFolder: cacheFolder(env), signal, progress });
    if (isShown) events({ ...about, state: "done", detail: `${tool.version} (${tool.origin})` });
    return tool;
  } catch (error) {
    if (isShown) events({ ...about, ...endedBy(error) });
    throw error;
  }
}
