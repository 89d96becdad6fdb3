import type { ResolvedConfig, SlotOnly } from "../../config/model/types.ts";
import { defaults } from "../../core/defaults.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import type { Fields } from "../../core/fields.ts";
import type { SlotSpec } from "../../core/model.ts";
import { differences } from "../record/differences.ts";
import { lostOfAutoscaler } from "./autoscaler.ts";
import type { Described } from "./describe.ts";
import { refused } from "./discover.ts";
import type { Discovered } from "./discovered.ts";
import { lostOfService } from "./found-service.ts";
import { gainedFields, lostFields, nextDeployment } from "./losses.ts";

const { className, path, pathType } = defaults.ingress;
const ingressDefaults = { className, path, pathType };

/** Whether the configuration names nothing that could be taken over. */
export function notConfigured({ runs }: ResolvedConfig): boolean {
  const blue = runs.slots?.blue;
  const image = runs.form === "slots" ? runs.slots.blue.image : runs.release.image;
  return blue?.deployment === undefined || blue.service === undefined || image === undefined;
}

/**
 * The configuration must say what runs: taking over is no moment to change it.
 * @throws UserError `adoption-refused`
 */
export function compareWithConfig(config: ResolvedConfig, found: Described, namespace: string): void {
  const { runs } = config;
  const before = {
    ...placed(runs.form, found.release, found.blue),
    ingress: { ...ingressDefaults, ...found.ingress },
    servicePort: found.servicePort,
  };
  const after = {
    ...(runs.form === "slots"
      ? placed(runs.form, runs.slots.blue, runs.slots.blue)
      : placed(runs.form, runs.release, runs.slots?.blue ?? {})),
    ingress: { ...ingressDefaults, name: config.name, ...config.ingress },
    servicePort: config.servicePort,
  };
  const changes = differences(before, after, []);
  if (changes.length === 0) return;
  throw refused(
    found.ingress.name,
    namespace,
    changes.map(({ text }) => ({
      reason: `${config.file} says something else than what runs: ${text}`,
      remedy: "say what runs (`modelswitch init --from … --force` does); change it after it is taken over",
    })),
  );
}

/** What runs and later releases of this configuration would be without. Pure. */
export function lostByConfig(config: ResolvedConfig, found: Discovered): string[] {
  return [
    ...lostFields(found, nextOf(config, found)),
    ...lostOfService(found, config.service, config.server),
    ...lostOfAutoscaler(found.autoscaler, releaseOf(config).autoscaling),
  ];
}

/** What later releases of this configuration have beside what runs. Pure. */
export function gainedByConfig(config: ResolvedConfig, found: Discovered): string[] {
  return gainedFields(found, nextOf(config, found));
}

function nextOf(config: ResolvedConfig, found: Discovered): Fields {
  return nextDeployment(config.name, found, releaseOf(config), config.server);
}

function releaseOf({ runs }: ResolvedConfig): SlotSpec {
  return runs.form === "slots" ? runs.slots.blue : runs.release;
}

export function lossRefused(config: ResolvedConfig, lost: readonly string[]): UserError {
  return new UserError({
    code: "adoption-loses",
    message: [
      `What runs has what later releases of ${config.name} would be without, as ${config.file} describes them:`,
      ...lost.map((path) => `  ${path}`),
    ].join("\n"),
    hint: "Nothing was changed. Say it in the configuration (`modelswitch init --from ingress/NAME --force` writes all of it), or go without on purpose: `modelswitch adopt --accept-loss`.",
    exitCode: exitCodes.usage,
    details: { lost },
  });
}

/** What is compared, where the configuration has it: that the rest is described well only matters for later releases. */
function placed(
  form: ResolvedConfig["runs"]["form"],
  { image, replicas, autoscaling }: SlotSpec,
  { deployment, service, autoscaler, selector }: SlotOnly,
) {
  const isAutoscaled = autoscaling !== undefined;
  const { labels: _labels, annotations: _annotations, ...sizes } = autoscaling ?? {};
  const release = { image, ...(isAutoscaled ? { autoscaling: sizes } : { replicas: replicas ?? 1 }) };
  const blue = { deployment, service, selector, ...(isAutoscaled ? { autoscaler } : {}) };
  return form === "slots" ? { slots: { blue: { ...release, ...blue } } } : { release, slots: { blue } };
}
