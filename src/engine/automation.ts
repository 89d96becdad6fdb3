import type * as Automation from "@pulumi/pulumi/automation/index.js";
import { setAmbientCluster } from "../kubernetes/ambient.ts";
import { deferLoading } from "./deferred-modules.ts";
import type { EngineEvents } from "./engine-events.ts";
import type { operationTitles } from "./failures.ts";
import { fixed, isChosen } from "./kubeconfig.ts";
import type { Session } from "./session.ts";
import type { StackOptions } from "./stack.ts";

export type AutomationModule = typeof Automation;
export type Operation = keyof typeof operationTitles;

/** Takes half a second to import: only an operation pays for it. */
export async function importAutomation(): Promise<AutomationModule> {
  deferLoading(import.meta.url);
  return await import("@pulumi/pulumi/automation/index.js");
}

/** Runs one operation in this process and one start of the Pulumi CLI. What the program threw is left in `thrown`. */
export async function runOperation(
  automation: AutomationModule,
  operation: Operation,
  about: Pick<StackOptions, "program" | "kubeconfig" | "stack"> & {
    readonly workFolder: string;
    readonly env: Readonly<Record<string, string | undefined>>;
    readonly session: Session;
    readonly observer: EngineEvents;
    readonly thrown: { error?: unknown };
  },
): Promise<void> {
  const { program, kubeconfig, workFolder, env, session, observer, thrown } = about;
  const workspace = await automation.LocalWorkspace.create({
    workDir: workFolder,
    // The class has more members than any caller uses; ours has those that are used.
    pulumiCommand: session.command as unknown as Automation.PulumiCommand,
    program: async () => {
      try {
        return await program();
      } catch (error) {
        thrown.error = error;
        throw error;
      }
    },
  });
  const stack = await automation.Stack.select(about.stack, workspace);
  const options = { onEvent: observer.receive };
  const restoreEnvironment = hideAmbientKubeconfig(isChosen(kubeconfig));
  const restoreCluster = setAmbientCluster(fixed(kubeconfig, env));
  try {
    if (operation === "preview") await stack.preview(options);
    else if (operation === "up") await stack.up(options);
    else if (operation === "refresh") await stack.refresh(options);
    else await stack.destroy(options);
  } finally {
    restoreCluster();
    restoreEnvironment();
  }
}

/**
 * A provider that a program makes without a kubeconfig takes KUBECONFIG from our environment. Where the user chose a
 * cluster that would be another one, so the variable is hidden while the program runs.
 */
function hideAmbientKubeconfig(isNeeded: boolean): () => void {
  const { KUBECONFIG: value } = process.env;
  if (!isNeeded || value === undefined) return () => {};
  delete process.env.KUBECONFIG;
  return () => {
    process.env.KUBECONFIG = value;
  };
}
