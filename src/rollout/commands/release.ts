import type { ReleaseTemplate, ResolvedConfig } from "../../config/model/types.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { isWayBack } from "../../core/rollout/state.ts";
import { liveSlot } from "../../core/routing.ts";
import { otherSlot } from "../../core/slots.ts";
import { requireRolloutCalls } from "../context/call-io.ts";
import type { RolloutContext } from "../context/context.ts";
import { assumeOnWayBack, type Deployed, observeDeployed } from "../context/deployed.ts";
import { refuseOtherEnvironment } from "../context/environment.ts";
import { requirePermissions, withPermissions } from "../context/permissions.ts";
import { requireServed } from "../ingress/require-served.ts";
import { withLock } from "../lock/lock.ts";
import { requireAskable } from "../plan/plan-refusals.ts";
import { planOf } from "../plan/rollout-plan.ts";
import { inProgress } from "../record/in-progress.ts";
import { refuseMigrating } from "../record/migration.ts";
import { nextReleaseNumber, releaseOf } from "../record/record.ts";
import {
  declaredReplicas,
  releaseDifferences,
  releaseSpecOf,
  requiredSourcesOf,
  scalingOf,
  sourcesOf,
} from "../record/release-spec.ts";
import { observeVersions } from "../record/source-versions.ts";
import type { Start } from "../release/begin-rollout.ts";
import { newRelease } from "../release/begin-rollout.ts";
import { stepsOnce } from "../release/choose-steps.ts";
import { type ExecuteOptions, execute } from "../release/execute.ts";
import { requireCountedCopies } from "../release/require-counted-copies.ts";
import type { RolloutEnd } from "../release/rollout-end.ts";
import { type StartedOptions, started } from "../release/run-rollout.ts";

export interface ReleaseOptions extends Pick<StartedOptions, "agree" | "waitWhenHeld"> {
  /** What the new release runs, and how many replicas of it. */
  readonly template: ReleaseTemplate;
  /** Move traffic outside the windows, and in a freeze. @default false */
  readonly ignoreWindows?: boolean;
  /** Ask no gate. @default false */
  readonly skipGates?: boolean;
}

/**
 * Puts a new release into the idle slot and takes it live, phase by phase.
 * @throws UserError `rollout-in-progress`, `switch-unfinished`, `release-unchanged`, `form-without-releases`, `call-impossible`
 */
export async function release(context: RolloutContext, options: ReleaseOptions): Promise<RolloutEnd> {
  requireTemplate(context.config);
  const { template, ignoreWindows = false, skipGates = false } = options;
  await requireRolloutCalls(context, { skipGates });
  await context.requireProbeHeaders();
  const stepped = stepsOnce(context);
  const start = async (deployed: Deployed): Promise<Start> => {
    const { record, routing } = deployed;
    // What `up` has applied was looked at then; copies are asked for by this command.
    if (context.config.rollout.shadow !== undefined)
      await requireServed(context, deployed.observation, record.settings);
    if (!skipGates) await requireCountedCopies(context, deployed);
    refuseMigrating(context.config.name, record);
    requireAskable(record.settings);
    const live = liveSlot(routing);
    const running = releaseOf(record, live);
    const { api, namespace, signal } = context;
    const versions = await observeVersions(
      api,
      namespace,
      sourcesOf(template),
      requiredSourcesOf(template),
      signal,
    );
    const spec = releaseSpecOf(template, versions, running?.spec);
    if (running !== undefined && releaseDifferences(running.spec, spec).length === 0) {
      throw new UserError({
        code: "release-unchanged",
        message: `Release ${running.number}, which ${live} runs and which is live, is exactly that already.`,
        hint: "Say what is new, for example `modelswitch release --set image=registry/fraud:1.5`.",
        exitCode: exitCodes.usage,
      });
    }
    const scaling = scalingOf(template);
    const config = await stepped(deployed);
    const plan = planOf(config, deployed, declaredReplicas(template), scaling);
    const number = nextReleaseNumber(record);
    return {
      kind: "release",
      release: newRelease(context, number, otherSlot(live), spec),
      isNew: true,
      plan: { ...plan, gates: !skipGates },
      scaling,
      phase: "deploy",
      windowsIgnored: ignoreWindows,
      skipped: [
        ...(skipGates ? [`gates (--skip-gates), by ${context.operator}`] : []),
        ...(ignoreWindows ? [`windows and freezes (--ignore-windows), by ${context.operator}`] : []),
      ],
    };
  };
  return await started(context, "release", start, options);
}

/** Goes on with a rollout that was paused, interrupted or killed; scales down what is due. */
export async function resume(
  context: RolloutContext,
  command: string,
  options: ExecuteOptions = {},
): Promise<RolloutEnd | undefined> {
  const { record } = await withPermissions(context, ["switch"], () =>
    observeDeployed(context, assumeOnWayBack),
  );
  refuseOtherEnvironment(context, record);
  const entry = inProgress(record);
  if (entry === undefined) return undefined;
  // On a way back nothing is asked before clients are there.
  if (!isWayBack(entry.plan, entry.state)) {
    await requirePermissions(context, ["up", "engine"]);
    await context.prepareSecrets();
  }
  return await withLock(context.lockOptions(command), (lock) => execute(context, lock, options));
}

/**
 * Releases need a template.
 * @throws UserError `form-without-releases` (exit code 2)
 */
export function requireTemplate(config: ResolvedConfig): ReleaseTemplate {
  if (config.runs.form === "template") return config.runs.release;
  throw new UserError({
    code: "form-without-releases",
    message: `${config.file} says what both slots run (\`slots\`), so there is no template of the next release.`,
    hint: "Change the idle slot there, run `modelswitch up` and `modelswitch switch SLOT`; or say in `release` what runs, and leave only names and selectors in `slots`.",
    exitCode: exitCodes.usage,
  });
}
