import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { join } from "node:path";
import type { Call } from "../core/calls.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import type { NotificationTarget } from "../core/notices.ts";
import { which } from "../tools/find-on-path.ts";
import type { CallIo } from "./io.ts";
import { secretProblem } from "./signature.ts";

/** A hook or a gate by what it is called. */
export interface NamedCall {
  /** For example `hook migrate`. */
  readonly title: string;
  readonly call: Call;
}

/**
 * Makes sure that what a rollout will call can be called, before anything is done: programs are there, keys are set.
 * @throws UserError `call-impossible` (exit code 2)
 */
export async function requireCalls(
  io: Pick<CallIo, "env" | "folder">,
  calls: readonly NamedCall[],
): Promise<void> {
  const problems = (await Promise.all(calls.map((one) => problemOf(io, one)))).filter(
    (problem) => problem !== undefined,
  );
  if (problems.length === 0) return;
  throw new UserError({
    code: "call-impossible",
    message: `This cannot be called from here, so nothing more is done:\n${problems.map((line) => `  ${line}`).join("\n")}`,
    hint: "Install the program or set the variable where modelswitch runs, or correct `rollout` in the configuration file.",
    exitCode: exitCodes.usage,
    details: { problems },
  });
}

async function problemOf(
  { env, folder }: Pick<CallIo, "env" | "folder">,
  { title, call }: NamedCall,
): Promise<string | undefined> {
  if (call.kind === "webhook") {
    if (call.secretEnv === undefined) return undefined;
    const problem = secretProblem(env[call.secretEnv]);
    return problem === undefined
      ? undefined
      : `${title}: the environment variable ${call.secretEnv} ${problem}`;
  }
  const [program] = call.run;
  if (!program.includes("/")) {
    const found = await which(program, env);
    return found === undefined ? `${title}: the program ${program} is not on PATH` : undefined;
  }
  const path = program.startsWith("/") ? program : join(folder, program);
  return await access(path, constants.X_OK).then(
    () => undefined,
    () => `${title}: ${path} is not there, or cannot be run by this user`,
  );
}

/** Names of the variables that hold secrets of calls and notifications: programs need not see them. */
export function secretVariables(
  calls: readonly Call[],
  notifications: readonly NotificationTarget[],
): string[] {
  const names = [
    ...calls.map((call) => (call.kind === "webhook" ? call.secretEnv : undefined)),
    ...notifications.flatMap(({ url, secretEnv }) => [url.kind === "env" ? url.name : undefined, secretEnv]),
  ];
  return [...new Set(names.filter((name) => name !== undefined))];
}
