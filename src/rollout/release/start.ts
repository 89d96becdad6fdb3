import type { ReleaseTemplate, ResolvedConfig } from "../../config/types.ts";
import { exitCodes, interrupted, isInterrupted, UserError } from "../../core/errors.ts";
import type { ReleaseMode } from "../../core/rollout/mode.ts";
import { liveSlot } from "../../core/routing.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";
import { refuseUnfinished } from "../adoption/guard.ts";
import { requireRolloutCalls } from "../call-io.ts";
import { vacatedFor } from "../capacity/capacity.ts";
import { requireCapacity } from "../capacity/require-capacity.ts";
import type { RolloutContext } from "../context.ts";
import { modelSpec } from "../desired.ts";
import { refuseOtherEnvironment } from "../environment.ts";
import { withLock } from "../lock.ts";
import { withPermissions } from "../permissions.ts";
import {
  nextReleaseNumber,
  type ReleaseRecord,
  type ReleaseSpec,
  type RolloutRecord,
  releaseOf,
} from "../record.ts";
import {
  declaredReplicas,
  releaseDifferences,
  releaseSpecOf,
  requiredSourcesOf,
  scalingOf,
  sourcesOf,
} from "../release-spec.ts";
import { type Deployed, observeDeployed } from "../subject.ts";
import { pendingSwitch } from "../switch.ts";
import { observeVersions } from "../versions.ts";
import { type Start, withRollout } from "./begin.ts";
import { inProgress, refuseInProgress } from "./entry.ts";
import { type ExecuteOptions, execute, type RolloutEnd } from "./execute.ts";
import { planOf, rollbackPlan } from "./plan.ts";
import { describeAccepted, noteFollowers, releaseNow, sayingOnce } from "./sources-then.ts";

export interface ReleaseOptions {
  /** What the new release runs, and how many replicas of it. */
  readonly template: ReleaseTemplate;
  /** Move traffic outside the windows, and in a freeze. @default false */
  readonly ignoreWindows?: boolean;
  /** Ask no gate. @default false */
  readonly skipGates?: boolean;
  /** Wait for approvals and windows instead of ending. @default false */
  readonly waitWhenHeld?: boolean;
  /** Asks whether a mode is wanted that serves nobody for a while; throws where it is not. */
  readonly agree?: (mode: ReleaseMode) => Promise<void>;
}

/**
 * Puts a new release into the idle slot and takes it live, phase by phase.
 * @throws UserError `rollout-in-progress`, `switch-unfinished`, `release-unchanged`, `form-without-releases`, `call-impossible`
 */
export async function release(context: RolloutContext, options: ReleaseOptions): Promise<RolloutEnd> {
  requireTemplate(context.config);
  const { template, ignoreWindows = false, skipGates = false } = options;
  await requireRolloutCalls(context, { skipGates });
  const start = async (deployed: Deployed): Promise<Start> => {
    const { record, routing } = deployed;
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
    const plan = planOf(context.config, deployed, declaredReplicas(template), scaling);
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

/**
 * Takes traffic back to an earlier release: in one step where the other slot still runs it, else by putting it there again.
 * @throws UserError `rollback-impossible`, `rollout-in-progress`, `versions-changed`, `accept-unknown`
 */
export async function rollback(
  context: RolloutContext,
  to: number | undefined,
  acceptChanged: readonly string[] = [],
  options: Pick<ReleaseOptions, "agree"> = {},
): Promise<RolloutEnd> {
  requireTemplate(context.config);
  // It is decided twice, before the lock and with it.
  const sources = { ...context, events: sayingOnce(context.events) };
  return await started(
    context,
    "rollback",
    async (deployed) => {
      const { record, routing, observation } = deployed;
      const live = liveSlot(routing);
      const idle = otherSlot(live);
      const wanted =
        to === undefined
          ? previousRelease(record, live)
          : record.releases.find(({ number }) => number === to);
      if (wanted === undefined || wanted.number === record.slots[live]) {
        throw new UserError({
          code: "rollback-impossible",
          message:
            wanted !== undefined
              ? `Release ${wanted.number} is live already.`
              : to === undefined
                ? `${context.config.name} has had no release before the one that is live.`
                : `The record knows no release ${to} of ${context.config.name}.`,
          hint: "`modelswitch history` lists the releases.",
          exitCode: exitCodes.usage,
        });
      }
      const isInSlot = observation.slots[idle].deployment?.release === wanted.number;
      const isWarm = isInSlot && observation.slots[idle].endpoints.ready.length > 0;
      if (isWarm) await noteFollowers(sources, wanted);
      const { spec, accepted } = isWarm
        ? { spec: wanted.spec, accepted: [] }
        : await releaseNow(sources, wanted, acceptChanged);
      // With other contents it is another release.
      const isThere = isInSlot && accepted.length === 0;
      // What serves already keeps its size and its autoscaler while traffic moves.
      const scaling = record.settings.scaling?.[isWarm ? idle : live];
      const plan = rollbackPlan(planOf(forRollback(context.config, isWarm), deployed, 0, scaling), isWarm);
      const number = nextReleaseNumber(record);
      return {
        kind: "rollback",
        release: isThere ? { ...wanted, slot: idle } : newRelease(context, number, idle, spec),
        isNew: !isThere,
        plan,
        scaling,
        phase: isWarm ? "shift" : "deploy",
        windowsIgnored: true,
        skipped: accepted.map((change) => describeAccepted(change, context.operator)),
      };
    },
    options,
  );
}

/** A rollback goes in one step; to a warm slot nothing of the configuration's mode applies. */
function forRollback(config: ResolvedConfig, isWarm: boolean): ResolvedConfig {
  const { rollout } = config;
  return { ...config, rollout: { ...rollout, steps: [], mode: isWarm ? { kind: "full" } : rollout.mode } };
}

/** Goes on with a rollout that was paused, interrupted or killed; scales down what is due. */
export async function resume(
  context: RolloutContext,
  command: string,
  options: ExecuteOptions = {},
): Promise<RolloutEnd | undefined> {
  const { record } = await withPermissions(context, ["up", "switch"], () => observeDeployed(context));
  refuseOtherEnvironment(context, record);
  if (inProgress(record) === undefined) return undefined;
  await context.prepareSecrets();
  return await withLock(context.lockOptions(command), (lock) => execute(context, lock, options));
}

/** The release that was live before: the other slot's, else the newest older one. */
function previousRelease(record: RolloutRecord, live: Slot): ReleaseRecord | undefined {
  const number = record.slots[live];
  const other = releaseOf(record, otherSlot(live));
  if (other !== undefined && other.number !== number && !wasRefused(record, other.number)) return other;
  return record.releases.findLast(
    (one) => number !== null && one.number < number && !wasRefused(record, one.number),
  );
}

/** Whether a release was tried and never stayed: nobody means that one by "back". */
function wasRefused(record: RolloutRecord, number: number): boolean {
  const tries = (record.rollouts ?? []).filter(({ release }) => release === number);
  return tries.length > 0 && tries.every(({ outcome }) => outcome !== "released");
}

function newRelease(context: RolloutContext, number: number, slot: Slot, spec: ReleaseSpec): ReleaseRecord {
  return { number, slot, spec, createdAt: new Date(context.clock.now()).toISOString(), by: context.operator };
}

async function started(
  context: RolloutContext,
  command: string,
  decide: (deployed: Deployed) => Promise<Start>,
  { agree, ...options }: ExecuteOptions & Pick<ReleaseOptions, "agree">,
): Promise<RolloutEnd> {
  const check = async (deployed: Deployed) => {
    refuseUnfinished(deployed.record);
    refuseOtherEnvironment(context, deployed.record);
    refuseOnItsWay(context, deployed);
    return await decide(deployed);
  };
  let isBegun = false;
  try {
    // Everything that can be refused is refused before anything is asked or written.
    const seen = await withPermissions(context, ["up", "switch"], () => observeDeployed(context));
    const start = await check(seen);
    await requireRoom(context, seen, start);
    await agree?.(start.plan.mode);
    await context.prepareSecrets();
    if (command === "release") await context.prepareEngine();
    return await withLock(context.lockOptions(command), async (lock) => {
      const start = await check(await observeDeployed(context));
      isBegun = true;
      await context.store.update((record) => record && withRollout(context, record, start));
      return await execute(context, lock, { ...options, isNew: true });
    });
  } catch (error) {
    throw isInterrupted(error) && !isBegun ? interrupted(`The ${command}`, "Nothing was changed.") : error;
  }
}

/** A slot that runs the release already, warm, needs no more. */
async function requireRoom(
  context: RolloutContext,
  { record, observation }: Deployed,
  start: Start,
): Promise<void> {
  if (start.phase === "shift") return;
  await requireCapacity(context, {
    spec: modelSpec(withRollout(context, record, start), context.namespace),
    observation,
    slot: start.release.slot,
    replicas: start.plan.replicas,
    vacated: vacatedFor(start.plan.mode, start.release.slot),
  });
}

function refuseOnItsWay(context: RolloutContext, { record, routing, location }: Deployed): void {
  refuseInProgress(context.config.name, record);
  const pending = pendingSwitch(routing, location.router.capabilities);
  if (pending === undefined) return;
  throw new UserError({
    code: "switch-unfinished",
    message: `Before ${context.config.name} can get another release: ${pending}.`,
    exitCode: exitCodes.usage,
  });
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
