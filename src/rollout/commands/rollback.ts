import { requireSteps } from "../../component/routers/routing-wishes.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import type { ShiftStep } from "../../core/rollout/state.ts";
import { liveSlot } from "../../core/routing.ts";
import { otherSlot } from "../../core/slots.ts";
import type { RolloutContext } from "../context/context.ts";
import type { Deployed } from "../context/deployed.ts";
import { planOf, rollbackPlan } from "../plan/rollout-plan.ts";
import { previousRelease } from "../record/former-releases.ts";
import type { ReleaseRecord } from "../record/record.ts";
import { nextReleaseNumber } from "../record/record.ts";
import type { Start } from "../release/begin-rollout.ts";
import { newRelease } from "../release/begin-rollout.ts";
import { describeAccepted, noteFollowers, releaseNow, sayingOnce } from "../release/former-sources.ts";
import type { RolloutEnd } from "../release/rollout-end.ts";
import { type StartedOptions, started } from "../release/run-rollout.ts";
import { requireTemplate } from "./release.ts";

export interface RollbackOptions extends Pick<StartedOptions, "agree"> {
  /** Number of the release. @default the one that was live before */
  readonly to?: number | undefined;
  /** Secrets and ConfigMaps that may be others than the release had. @default none */
  readonly acceptChanged?: readonly string[];
  /** All traffic goes at once to a slot that is smaller than the load. @default false */
  readonly now?: boolean;
  /** Shares on the way, for a cache that has to fill. @default none: as much as the slot can carry at once */
  readonly steps?: readonly ShiftStep[];
}

/**
 * Takes traffic back to an earlier release: at once where the other slot still has it, else by putting it there again.
 * @throws UserError `rollback-impossible`, `rollout-in-progress`, `versions-changed`, `accept-unknown`
 */
export async function rollback(context: RolloutContext, options: RollbackOptions = {}): Promise<RolloutEnd> {
  requireTemplate(context.config);
  // It is decided twice, before the lock and with it: the same release, since whoever had the lock may have gone back, too.
  const sources = { ...context, events: sayingOnce(context.events) };
  let { to } = options;
  const decide = async (deployed: Deployed) => {
    const wanted = wantedRelease(context, deployed, to);
    to = wanted.number;
    return await startOf(sources, deployed, wanted, options);
  };
  return await started(context, "rollback", decide, { agree: options.agree });
}

function wantedRelease(
  { config }: RolloutContext,
  { record, routing }: Deployed,
  to: number | undefined,
): ReleaseRecord {
  const live = liveSlot(routing);
  const wanted =
    to === undefined ? previousRelease(record, live) : record.releases.find(({ number }) => number === to);
  if (wanted !== undefined && wanted.number !== record.slots[live]) return wanted;
  throw new UserError({
    code: "rollback-impossible",
    message:
      wanted !== undefined
        ? `Release ${wanted.number} is live already.`
        : to === undefined
          ? `${config.name} has no release that was live before this one and was not left by a rollback.`
          : `The record knows no release ${to} of ${config.name}.`,
    hint: "`modelswitch history` lists the releases; `modelswitch rollback --to NUMBER` goes to any of them.",
    exitCode: exitCodes.usage,
  });
}

async function startOf(
  context: RolloutContext,
  deployed: Deployed,
  wanted: ReleaseRecord,
  { acceptChanged = [], now = false, steps = [] }: RollbackOptions,
): Promise<Start> {
  const { record, routing, observation, location } = deployed;
  const shares = steps.map(({ weight }) => weight);
  requireSteps(location.router, shares, "--steps");
  const live = liveSlot(routing);
  const idle = otherSlot(live);
  const { deployment, endpoints } = observation.slots[idle];
  const isInSlot = deployment?.release === wanted.number;
  const isWarm = isInSlot && endpoints.ready.length > 0;
  if (isWarm) await noteFollowers(context, wanted);
  const { spec, accepted } = isWarm
    ? { spec: wanted.spec, accepted: [] }
    : await releaseNow(context, wanted, acceptChanged);
  // With other contents it is another release.
  const isThere = isInSlot && accepted.length === 0;
  // Without its pods it only has to grow; there is no room for that where only one slot runs at a time.
  const isSoonThere = isWarm || (isThere && context.config.rollout.mode.kind !== "recreate");
  // What serves already keeps its size and its autoscaler while traffic moves.
  const scaling = record.settings.scaling?.[isThere ? idle : live];
  const config = forRollback(context.config, isSoonThere);
  const plan = rollbackPlan(planOf(config, deployed, 0, scaling), isSoonThere);
  const number = nextReleaseNumber(record);
  return {
    kind: "rollback",
    release: isThere ? { ...wanted, slot: idle } : newRelease(context, number, idle, spec),
    isNew: !isThere,
    plan: { ...plan, steps },
    now,
    scaling,
    phase: isSoonThere ? "shift" : "deploy",
    windowsIgnored: true,
    skipped: accepted.map((change) => describeAccepted(change, context.operator)),
  };
}

/** A rollback goes as fast as it can; to a slot that has the release nothing of the configuration's mode applies. */
function forRollback(config: ResolvedConfig, isSoonThere: boolean): ResolvedConfig {
  const { rollout } = config;
  return {
    ...config,
    rollout: { ...rollout, steps: [], mode: isSoonThere ? { kind: "full" } : rollout.mode },
  };
}
