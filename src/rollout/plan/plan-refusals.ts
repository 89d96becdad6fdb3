import { routerNamed } from "../../component/routers/factory.ts";
import type { Router } from "../../component/routers/router.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import { defaults } from "../../core/defaults.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { identityPlaces, patternsAsText } from "../../core/identity-path.ts";
import { configuredNames } from "../../core/names.ts";
import { sameRouting, settledOn, splitOf } from "../../core/routing.ts";
import { otherSlot, type Slot, slots } from "../../core/slots.ts";
import type { Observation } from "../observe/observation.ts";
import { type Difference, differences } from "../record/differences.ts";
import { wasEverLive } from "../record/ever-live.ts";
import type { AppliedSettings, RolloutRecord } from "../record/record.ts";
import type { PlanInput } from "./plan-input.ts";

/** Changes that would cost requests, or are not possible. */

export function liveChangeRefused(
  config: ResolvedConfig,
  slot: Slot,
  changes: readonly Difference[],
): UserError {
  return new UserError({
    code: "live-change-refused",
    message: [
      `${config.file} changes what ${slot} runs, and ${slot} carries the traffic of ${config.name}:`,
      ...changes.map(({ text }) => `  ${text}`),
    ].join("\n"),
    hint: `${config.runs.form === "template" ? `\`modelswitch release\` puts it into ${otherSlot(slot)}` : `Make the change in ${otherSlot(slot)} and switch to it`}, or pass --allow-live-change to change the live slot in place.`,
    exitCode: exitCodes.usage,
    details: { slot, differences: changes },
  });
}

/**
 * Objects of another kind would be made while those that clients come in by are taken away, in no order and unproved.
 * @throws UserError `router-changed-live`
 */
export function refuseOtherRouter({ config, record, observation, allowLiveChange }: PlanInput): void {
  if (record === undefined || observation.routing === undefined) return;
  if (servesNobody(record, observation)) return;
  const [former, next] = [routerNamed(record.settings.router), routerNamed(config.router)];
  const [was, is] = [former.kinds[0].kind, next.kinds[0].kind];
  const hint =
    "`modelswitch migrate --plan` shows how clients move there without a failed request; `modelswitch migrate` does it.";
  if (was !== is || !readsAlike(former, next, record.settings, config)) {
    throw new UserError({
      code: "router-changed-live",
      message: `The router changes from ${former.name} to ${next.name}, and ${config.name} serves clients: ${was === is ? `its ${was} would be rewritten` : `its ${was} would be deleted, and its ${is} made`}, without anybody proving that one takes over from the other.`,
      hint,
      exitCode: exitCodes.usage,
      details: { before: former.name, after: next.name },
    });
  }
  const [served, wanted] = [servedBy(former, record.settings.ingress), servedBy(next, config.ingress)];
  if (served === wanted || allowLiveChange) return;
  throw new UserError({
    code: "router-changed-live",
    message: `${config.name} serves clients by ${served}, and the configuration asks for ${wanted}: whoever serves its ${was} now would drop it at once, before clients are where the other one is.`,
    hint: `${hint} Where both are served by the same controller, pass --allow-live-change.`,
    exitCode: exitCodes.usage,
    details: { before: served, after: wanted },
  });
}

/**
 * A first `up` never ended, for a class that nobody serves, say, or an image that nobody has: no client comes in by what it made, so the next one may
 * make something else of it.
 */
function servesNobody(record: RolloutRecord, { routing, ingress, slots: seen }: Observation): boolean {
  const wasLive = (slot: Slot) => {
    const number = record.slots[slot];
    return number !== null && wasEverLive(record, number, false);
  };
  if (!record.applying || record.adoption !== undefined || record.history.length > 0 || slots.some(wasLive))
    return false;
  const answers = (slot: Slot) =>
    routing !== undefined && splitOf(routing)[slot] > 0 && seen[slot].endpoints.ready.length > 0;
  return (ingress?.addresses ?? []).length === 0 || !slots.some(answers);
}

/** Whether what one router has written says the same to another one, whichever slot has the traffic. */
function readsAlike(
  former: Router,
  next: Router,
  { ingress, previewHeader }: AppliedSettings,
  config: ResolvedConfig,
): boolean {
  const names = configuredNames(config);
  const servicePort = config.servicePort;
  return slots.every((slot) => {
    const routing = settledOn(slot);
    const about = { model: config.name, names, namespace: undefined, ingress, previewHeader, servicePort };
    const read = next.read(names, former.objects({ ...about, routing }));
    return read !== undefined && sameRouting(read, routing);
  });
}

/** Whose the objects are: what another controller, or another listener of the same one, would not look at. */
function servedBy(router: Router, { className, gateway }: AppliedSettings["ingress"]): string {
  if (gateway !== undefined && router.needsGateway === true) {
    const { namespace, name, sectionName } = gateway;
    const listener = sectionName === undefined ? "" : `, listener ${sectionName}`;
    return `the Gateway ${namespace === undefined ? "" : `${namespace}/`}${name}${listener}`;
  }
  const ofClass = router.classOf(className === undefined ? {} : { className });
  return ofClass === "" ? "whoever takes those without a class" : `the class ${ofClass}`;
}

/**
 * What could never be proved is not begun.
 * @throws UserError `identity-path-outside`
 */
export function requireAskable({
  ingress,
  identity,
  server,
}: Pick<AppliedSettings, "ingress" | "identity" | "server">): void {
  const asked = identity ?? server.identity;
  if (asked !== undefined) identityPlaces(ingress, asked);
}

/**
 * ingress-nginx and Traefik leave an Ingress out whose paths are patterns and not said to be: it would be made, and waited for in vain, or taken from clients.
 * One that is there already is somebody's who has told the controller otherwise.
 * @throws UserError `path-not-plain`
 */
export function refusePatternsAsText({ config, record, adopting }: PlanInput): void {
  const before = record === undefined ? [] : patternsAsText(record.settings.ingress);
  const first = patternsAsText(config.ingress).find(
    ({ path, pathType }) => !before.some((one) => one.path === path && one.pathType === pathType),
  );
  if (first === undefined || adopting !== undefined) return;
  const { path, pathType } = first;
  throw new UserError({
    code: "path-not-plain",
    message: `The path ${path} of the Ingress has characters of a regular expression, and its pathType is ${pathType}: ingress controllers take it for plain text, or leave the whole Ingress out.`,
    hint: 'Say pathType: "ImplementationSpecific" beside it; with the annotation nginx.ingress.kubernetes.io/use-regex or rewrite-target the controller reads it as a regular expression.',
    exitCode: exitCodes.usage,
  });
}

/** Services and the Ingress can't be changed in one instant: under traffic, requests would fail in between. */
export function refuseProtocolChange(
  { config, record, observation, allowLiveChange }: PlanInput,
  live: Slot,
): void {
  if (record === undefined || observation.routing === undefined || allowLiveChange) return;
  const before = record.settings.ingress.protocol ?? "http";
  const after = config.ingress.protocol ?? "http";
  if (before === after) return;
  throw new UserError({
    code: "live-change-refused",
    message: `${config.file} changes ingress.protocol from ${before} to ${after}, and ${live} carries the traffic of ${config.name}: requests would fail until the Services and the Ingress both say so.`,
    hint: "Give the model another name and host to start with the other protocol beside this one, or pass --allow-live-change.",
    exitCode: exitCodes.usage,
  });
}

/** Services and the Ingress cannot change their port at the same instant. */
export function refusePortChange(
  { config, record, observation, allowLiveChange }: PlanInput,
  live: Slot,
): void {
  if (record === undefined || observation.routing === undefined || allowLiveChange) return;
  const changes = differences(
    { servicePort: record.settings.servicePort ?? defaults.servicePort },
    { servicePort: config.servicePort },
    [],
  );
  if (changes.length > 0) throw liveChangeRefused(config, live, changes);
}

export function refuseSelectorChange(config: ResolvedConfig, observation: Observation): void {
  for (const slot of slots) {
    const present = observation.slots[slot].service?.selector;
    const selector = config.runs.slots?.[slot].selector ?? { app: config.name, version: slot };
    if (present === undefined) continue;
    const changes = differences(present, selector, []);
    if (changes.length === 0) continue;
    throw new UserError({
      code: "selector-changed",
      message: `The selector of ${slot} never changes after creation, and ${config.file} asks for another one: ${changes.map(({ text }) => text).join("; ")}.`,
      hint: "Give the model another name to start with other selectors beside it, or `modelswitch destroy` this one first.",
      exitCode: exitCodes.usage,
      details: { slot, differences: changes },
    });
  }
}
