import { formatDuration } from "../../core/duration.ts";
import type { ShiftStep } from "../../core/rollout/state.ts";
import { toShare } from "../../core/routing.ts";
import { type AutoStep, autoSteps } from "../../core/statistics/auto-steps.ts";
import { type Sight, sightsOf } from "../../core/statistics/sight.ts";
import { metricInWords, percent } from "../../gates/traffic-judge.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { type CountedRollout, longestRequestMs } from "./counted-rollout.ts";
import { type LiveTraffic, type MeasuredTraffic, measureTraffic, trafficGateOf } from "./live-traffic.ts";

/** What the comparison of clients' requests will be able to see in a release as it is planned. */
export type LivePlan =
  /** Nothing is compared, and why. `isRefused`: a release is refused for it. */
  | { readonly kind: "nothing"; readonly why: string; readonly isRefused?: true }
  | {
      readonly kind: "compared";
      readonly traffic: MeasuredTraffic;
      /** As they are given, or as they would be chosen. */
      readonly steps: readonly ShiftStep[];
      readonly isAutomatic: boolean;
      readonly sights: readonly Sight[];
      /** The release goes on with what is not shown; otherwise it holds for that. */
      readonly isByDefault: boolean;
      /** Clients stay on the slot that they get, so that nothing is shown for good. */
      readonly isPinned: boolean;
    };

/** Looks at clients' requests, and says what a release will be able to see of them. */
export async function planLive(context: RolloutContext, seen: CountedRollout): Promise<LivePlan> {
  const { rollout } = context.config;
  const gate = trafficGateOf(context);
  if (gate === undefined) return { kind: "nothing", why: "that is switched off" };
  const { router } = locationOf(context, seen.record);
  if (!router.capabilities.weights) {
    return { kind: "nothing", why: `the router ${router.name} moves all traffic at once` };
  }
  if (rollout.mode.kind === "recreate") return { kind: "nothing", why: "only one slot runs at a time" };
  const isAutomatic = rollout.isAutomatic === true;
  if (rollout.steps.length === 0 && !isAutomatic) {
    return {
      kind: "nothing",
      why: 'in one jump there is no moment at which both slots get them (rollout.steps: "auto" chooses steps by the traffic)',
    };
  }
  const traffic = await measureTraffic(context, seen, gate);
  if (traffic.kind === "none") {
    const { warmUp } = rollout;
    const instead = `; instead one request a second goes to each slot (rollout.warmUp), which shows what is plainly broken`;
    if (isAutomatic) return { kind: "nothing", why: traffic.why, isRefused: true };
    const isInstead = warmUp !== undefined && gate.sources === undefined && router.capabilities.header;
    return { kind: "nothing", why: `${traffic.why}${isInstead ? instead : ""}` };
  }
  const chosen = isAutomatic ? chosenSteps(traffic, longestRequestMs(seen.record)) : undefined;
  if (chosen?.kind === "none") return { kind: "nothing", why: chosen.why, isRefused: true };
  const steps = chosen?.steps ?? rollout.steps;
  return {
    kind: "compared",
    traffic,
    steps,
    isAutomatic,
    isByDefault: gate.byDefault === true,
    isPinned: (context.config.routing?.sticky ?? false) !== false,
    sights: sightsOf(
      steps.map(({ weight, holdMs }) => ({ share: weight / 100, seconds: holdMs / 1000 })),
      traffic.metrics,
      { requestsPerSecond: traffic.requestsPerSecond, alpha: gate.alpha },
    ),
  };
}

/** What to do where no steps can be chosen. */
export const giveSteps = `give the steps, for example --steps "5%:5m, 25%:5m, 50%:5m", or --steps "100%" for one jump in which clients' requests are not compared`;

/** What `steps: auto` comes to. */
export type ChosenSteps =
  | { readonly kind: "steps"; readonly steps: readonly ShiftStep[]; readonly auto: readonly AutoStep[] }
  | { readonly kind: "none"; readonly why: string };

/** Shares and times by the traffic that comes. Pure. */
export function chosenSteps(traffic: LiveTraffic, longestMs: number): ChosenSteps {
  if (traffic.kind === "none") return traffic;
  const { requestsPerSecond, metrics, overSeconds } = traffic;
  if (requestsPerSecond <= 0) {
    return { kind: "none", why: `no request came in ${formatDuration(overSeconds * 1000)}` };
  }
  const alpha = Math.min(...metrics.map((metric) => metric.alpha));
  const longestRequestSeconds = longestMs / 1000;
  const auto = autoSteps({ requestsPerSecond, alpha, metrics, longestRequestSeconds });
  const steps = auto.map(
    ({ share, seconds }): ShiftStep => ({
      weight: Math.round(share * 100),
      holdMs: seconds * 1000,
      endsEarly: true,
    }),
  );
  return { kind: "steps", steps, auto };
}

/** `5%:12m 30s, 25%:4m 50s, 50%:4m`. Pure. */
export function stepsInWords(steps: readonly ShiftStep[]): string {
  return steps.map(({ weight, holdMs }) => `${weight} % for ${formatDuration(holdMs)}`).join(", ");
}

/** In words, for whoever plans a release. Pure. */
export function describeLive(plan: LivePlan): { readonly lines: string[]; readonly warnings: string[] } {
  if (plan.kind === "nothing") {
    return {
      lines: [
        `Errors and latency of clients' requests are not compared: ${plan.why}.`,
        ...(plan.isRefused === true
          ? [`  No steps can be chosen like this, and a release is refused (steps-unknown): ${giveSteps}.`]
          : []),
      ],
      warnings: [],
    };
  }
  const { traffic, steps, isAutomatic, sights } = plan;
  const { requestsPerSecond: rate, metrics, by, where, overSeconds } = traffic;
  const rates = metrics.map(({ name, live }) => `${metricInWords(name)} ${percent(live)}`).join(", ");
  const over = overSeconds >= 3600 ? "in the quietest ten minutes of the last hour" : "at present";
  const head = `Clients' requests are compared as ${by} counts them (${where}): ${twoDigits(rate)} requests/s ${over}, ${rates}.`;
  const chosen = isAutomatic ? [`  Steps by this traffic: ${stepsInWords(steps)}.`] : [];
  if (rate <= 0) return { lines: [head, "  Without requests nothing can be shown."], warnings: [] };
  const short = sights.filter(({ isShort }) => isShort);
  return {
    lines: [head, ...chosen, ...sights.map((sight) => `  ${sightInWords(sight, rate)}`)],
    warnings: [
      ...(plan.isPinned ? [pinnedInWords(plan.isByDefault)] : []),
      ...short.map((sight) => shortInWords(sight, plan.isByDefault)),
    ],
  };
}

function sightInWords(sight: Sight, rate: number): string {
  const { step, requests, neededSeconds } = sight;
  const at = `at ${toShare(step.share * 100)} %`;
  if (!Number.isFinite(neededSeconds)) return `${change(sight)} would not be seen ${at}`;
  const has = `the step has ${formatDuration(step.seconds * 1000)}`;
  return `${change(sight)} would be seen with 80 % after ${requests} requests ${at}: ${formatDuration(neededSeconds * 1000)} at ${twoDigits(rate)}/s; ${has}`;
}

function pinnedInWords(isByDefault: boolean): string {
  const then = isByDefault
    ? "it goes back for what is plainly worse, and on without the rest"
    : "it goes back for what is plainly worse, and is held otherwise, until somebody promotes it";
  return `The gate traffic cannot pass this release while clients stay on the slot that they got (routing.sticky): their requests are not split by the shares. The release is compared all the same: ${then}.`;
}

function shortInWords(sight: Sight, isByDefault: boolean): string {
  const { step, neededSeconds } = sight;
  const share = `${toShare(step.share * 100)} %`;
  const needs = Number.isFinite(neededSeconds)
    ? `it needs ${formatDuration(neededSeconds * 1000)}`
    : "no time is enough at this rate";
  const then = isByDefault ? "the release goes on without that" : "the gate holds it until that is shown";
  return `The step of ${share} is too short to see ${change(sight)}: it has ${formatDuration(step.seconds * 1000)}, ${needs}; ${then}.`;
}

function change({ metric, live, bad }: Sight): string {
  return `${metricInWords(metric)} from ${percent(live)} to ${percent(bad)}`;
}

function twoDigits(value: number): string {
  return value >= 10 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

/** For programs. Pure. */
export function liveDocument(plan: LivePlan): Readonly<Record<string, unknown>> {
  if (plan.kind === "nothing") {
    return {
      compared: false,
      why: plan.why,
      ...(plan.isRefused === true ? { refused: "steps-unknown" } : {}),
    };
  }
  const { traffic, steps, isAutomatic, sights } = plan;
  return {
    compared: true,
    by: traffic.by,
    where: traffic.where,
    requestsPerSecond: traffic.requestsPerSecond,
    overSeconds: traffic.overSeconds,
    automatic: isAutomatic,
    steps: steps.map(({ weight, holdMs }) => ({ weight, seconds: holdMs / 1000 })),
    sees: sights.map(({ metric, step, live, bad, requests, neededSeconds, isShort }) => ({
      metric,
      share: step.share,
      live,
      bad,
      requests: Number.isFinite(neededSeconds) ? requests : null,
      seconds: Number.isFinite(neededSeconds) ? neededSeconds : null,
      tooShort: isShort,
    })),
  };
}
