import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path/posix";
import type { CallIo } from "../../calls/io.ts";
import { type NamedCall, requireCalls, secretVariables } from "../../calls/require-calls.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import type { ResolvedRollout } from "../../config/rollout/rollout-types.ts";
import type { Clock } from "../../core/clock.ts";
import { callOfGate, requireOfGate } from "../../gates/kinds.ts";
import type { KubeconfigSource } from "../../kubernetes/connect.ts";

/** What hooks, gates and notifications of a model work with: the real thing. */
export function callIo(about: {
  readonly config: ResolvedConfig;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of the kubeconfig's context. */
  readonly kubernetesContext: string;
}): CallIo {
  const { config, clock, env, kubernetesContext } = about;
  const kubeconfig = programsKubeconfig(config.kubeconfig);
  return {
    clock,
    send: async (request) => {
      // Not every command calls somebody.
      const { sender } = await import("../../calls/send.ts");
      return await sender(env)(request);
    },
    folder: config.folder,
    env,
    withheld: [
      ...secretVariables(
        namedCalls(config.rollout).map(({ call }) => call),
        config.rollout.notifications,
      ),
      ...headerVariables(config),
      // What they say is in the variables below; beside those they would be another choice, or a path from elsewhere.
      "MODELSWITCH_CLUSTER",
      "MODELSWITCH_FOLDER",
    ],
    // A kubectl, or a modelswitch, that a program runs is to see the same model in the same cluster.
    get extra() {
      const path = kubeconfig();
      return {
        MODELSWITCH_CONFIG: config.file,
        MODELSWITCH_CONTEXT: kubernetesContext,
        ...(path === undefined ? {} : { MODELSWITCH_KUBECONFIG: path, KUBECONFIG: path }),
      };
    },
  };
}

/** Credentials of the proof, and of a Prometheus. */
function headerVariables({ probeHeaders = {}, metrics }: ResolvedConfig): string[] {
  return Object.values({ ...probeHeaders, ...metrics?.prometheus?.headers }).flatMap((source) =>
    typeof source === "object" && "env" in source ? [source.env] : [],
  );
}

/**
 * Makes sure that hooks, and gates unless they are skipped, can be called when their time comes, and have the files that they need.
 * @throws UserError `call-impossible`, `cases-unreadable`, `cases-invalid`, `cases-empty`
 */
export async function requireRolloutCalls(
  { calls, config }: { readonly calls: CallIo; readonly config: ResolvedConfig },
  { skipGates }: { readonly skipGates: boolean },
): Promise<void> {
  const { rollout } = config;
  const asked = skipGates ? { ...rollout, gates: [] } : rollout;
  await requireCalls(calls, namedCalls(asked));
  for (const gate of asked.gates) await requireOfGate(gate, calls.folder);
}

/** Everything that a rollout may call for an opinion, by what it is called. */
function namedCalls({ hooks, gates }: ResolvedRollout): NamedCall[] {
  return [
    ...hooks.map(({ name, call }) => ({ title: `hook ${name}`, call })),
    ...gates.flatMap((gate) => {
      const call = callOfGate(gate);
      return call === undefined ? [] : [{ title: `gate ${gate.name}`, call }];
    }),
  ];
}

/**
 * The path of a kubeconfig that leads to this one cluster, whatever the current context of the user's own file is. It is written
 * when the first program asks for it, for this user alone, and goes with this process.
 */
export function programsKubeconfig({ contents, path }: KubeconfigSource): () => string | undefined {
  if (contents === undefined) return () => path;
  let written: string | undefined;
  return () => {
    if (written !== undefined) return written;
    const folder = mkdtempSync(join(tmpdir(), "modelswitch-kubeconfig-"));
    written = join(folder, "config");
    writeFileSync(written, contents, { mode: 0o600 });
    process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
    return written;
  };
}
