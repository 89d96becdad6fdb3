import type { RolloutContext } from "../../rollout/context.ts";
import type { CommandContext } from "../command.ts";

/** What commands on one model work with: its configuration, its cluster, and the command's own means. */
export async function openRollout(context: CommandContext): Promise<RolloutContext> {
  const [{ loadConfig }, { rolloutContext }] = await Promise.all([
    import("../load-config.ts"),
    import("../../rollout/context.ts"),
  ]);
  const config = await loadConfig(context.globals, context.env);
  return await rolloutContext({
    config,
    clock: context.clock,
    events: context.events,
    signal: context.signal,
    env: context.env,
    askSecret: (question, ifNoTerminal) => context.askSecret(question, ifNoTerminal),
  });
}

/** Milliseconds for people: `850 ms`, `1.4 s`. */
export function duration(ms: number): string {
  return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
