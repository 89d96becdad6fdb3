import { exitCodes, UserError } from "../../core/errors.ts";
import type { EventSink } from "../../core/events.ts";
import type { RolloutContext } from "../context/context.ts";
import type { ReleaseRecord, ReleaseSpec } from "../record/record.ts";
import { requiredSourcesOf, type SourceName, sourcesOf } from "../record/release-spec.ts";
import { inWords, observeVersions, type Versions } from "../record/source-versions.ts";

/** A Secret or ConfigMap that is another one than a release had. */
export interface SourceChange {
  readonly name: SourceName;
  readonly former: string;
  readonly present: string;
}

/** What of a release's Secrets and ConfigMaps has changed since, and of which nobody can tell. Pure. */
export function sourcesSince(
  spec: ReleaseSpec,
  present: Versions,
): { readonly changed: readonly SourceChange[]; readonly unknown: readonly SourceName[] } {
  const changed: SourceChange[] = [];
  const unknown: SourceName[] = [];
  for (const name of sourcesOf(spec)) {
    const [before, now] = [spec.versions?.[name], present[name]];
    if (before === undefined || now === undefined) unknown.push(name);
    else if (before !== now) changed.push({ name, former: before, present: now });
  }
  return { changed, unknown };
}

/** A release as its pods would start now. */
export interface ReleaseNow {
  readonly spec: ReleaseSpec;
  /** Changes that somebody accepted. */
  readonly accepted: readonly SourceChange[];
}

/**
 * A release whose pods are to be started again: they get what its Secrets and ConfigMaps hold now, so these must be what they were. Files
 * of the configuration are in the record and need no check.
 * @throws UserError `versions-changed`, `secret-missing`, `accept-unknown`
 */
export async function releaseNow(
  context: RolloutContext,
  release: ReleaseRecord,
  accept: readonly string[],
): Promise<ReleaseNow> {
  const { api, namespace, signal, config } = context;
  const { spec, number } = release;
  const names = sourcesOf(spec);
  const strange = accept.find((name) => !names.some((one) => one === name));
  if (strange !== undefined) {
    throw new UserError({
      code: "accept-unknown",
      message: `--accept-changed ${strange}: release ${number} of ${config.name} refers to no such Secret or ConfigMap.`,
      hint: names.length === 0 ? "It refers to none." : `It refers to ${names.join(", ")}.`,
      exitCode: exitCodes.usage,
    });
  }
  if (names.length === 0) return { spec, accepted: [] };
  const observed = await observeVersions(api, namespace, names, requiredSourcesOf(spec), signal);
  const { changed, unknown } = sourcesSince(spec, presentVersions(context, observed));
  const refused = changed.filter(({ name }) => !accept.includes(name));
  if (refused.length > 0) throw otherContents(context, release, refused);
  if (unknown.length > 0) {
    context.events({
      type: "warning",
      code: "versions-unknown",
      message: `Nobody can tell whether ${unknown.map(inWords).join(", ")} still ${unknown.length === 1 ? "is" : "are"} what release ${number} had: the pods start with the present contents.`,
      hint: "`get` on these objects lets modelswitch compare their versions (docs/release-contents.md); it never reads their contents.",
    });
  }
  const versions = {
    ...spec.versions,
    ...Object.fromEntries(changed.map((change) => [change.name, change.present])),
  };
  return { spec: changed.length === 0 ? spec : { ...spec, versions }, accepted: changed };
}

/** Whoever gives versions in the configuration file says which ones are there. */
function presentVersions({ config }: RolloutContext, observed: Versions): Versions {
  const given = config.runs.form === "template" ? config.runs.release.versions : undefined;
  return { ...observed, ...given };
}

function otherContents(
  { config }: RolloutContext,
  { number }: ReleaseRecord,
  changed: readonly SourceChange[],
): UserError {
  const flags = changed.map(({ name }) => `--accept-changed ${name}`).join(" ");
  return new UserError({
    code: "versions-changed",
    message: [
      `The pods of release ${number} of ${config.name} have ended, and what they referred to has changed since:`,
      ...changed.map(
        ({ name, former, present }) => `  ${inWords(name)}: version ${former} then, ${present} now`,
      ),
      "Started again, they would get the present contents, which is not what that release was. Nothing was changed.",
    ].join("\n"),
    hint: `Where the present contents are right for it (or you have put the old ones back, which is a version of its own): ${flags}; it becomes a release with a number of its own, and is recorded. Secrets with a new name for each version make going back exact.`,
    details: { release: number, changed },
  });
}

/**
 * Says what a warm slot does with what has changed since its pods started: nothing is refused, its variables are as they were. What
 * cannot be read is no reason to wait.
 */
export async function noteFollowers(context: RolloutContext, release: ReleaseRecord): Promise<void> {
  const { spec, slot } = release;
  const names = sourcesOf(spec);
  if (names.length === 0) return;
  const { api, namespace, signal } = context;
  const observed = await observeVersions(api, namespace, names, [], signal).catch(() => ({}));
  const { changed } = sourcesSince(spec, presentVersions(context, observed));
  if (changed.length === 0) return;
  const mounted = new Set((spec.secrets ?? []).map(({ secret }) => `secret/${secret}`));
  const follow = changed.filter(({ name }) => mounted.has(name));
  context.events({
    type: "warning",
    code: "versions-changed",
    message: [
      `${changed.map(({ name }) => inWords(name)).join(", ")} changed since release ${release.number} started. Variables in the pods of ${slot} keep the former contents until a container starts again`,
      follow.length === 0
        ? ""
        : `; mounted files follow the present ones (${follow.map(({ name }) => name).join(", ")})`,
      ".",
    ].join(""),
  });
}

/** For the record: what somebody accepted. */
export function describeAccepted({ name, former, present }: SourceChange, by: string): string {
  return `${name} as it was (--accept-changed): version ${present} instead of ${former}, by ${by}`;
}

/** Passes on every event but those that were passed on already. */
export function sayingOnce(events: EventSink): EventSink {
  const said = new Set<string>();
  return (event) => {
    const text = JSON.stringify(event);
    if (!said.has(text)) events(event);
    said.add(text);
  };
}
