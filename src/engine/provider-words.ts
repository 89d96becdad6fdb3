/**
 * What the official provider says of a failure, without what every message of it repeats, and with the owners of fields named
 * one by one; and of a wait, in the words that are used elsewhere. Whatever is not known stays as it is, and what says nothing is empty.
 */
export function inOurWords(message: string): string {
  if (/^Skipping await logic\.?$/.test(message)) return "";
  const [, ready, wanted] = /\((\d+)\/(\d+) Pods available\)$/.exec(message) ?? [];
  if (ready !== undefined) return `${ready} of ${wanted} replicas ready`;
  const reasons = unreadyReasons(message);
  if (reasons !== undefined) return [notInTime, ...reasons].join("; ");
  const short = podWords(withoutList(message))
    .replace(/\b(?:create|update|delete|replacement|refresh) of resource "urn:[^"]*" failed: /g, "")
    .replace(/\bresource "?urn:\S+?"? was not successfully created by the Kubernetes API server: /g, "")
    .replace(
      /\bresource "?urn:\S+?"? was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: /g,
      "created, but not ready: ",
    )
    .replace(
      /\bthe Kubernetes API server reported that "[^"]*" failed to fully initialize or become live: /g,
      "",
    );
  return conflictIn(short) ?? short;
}

/** What every failed wait begins with; why follows where it is known. */
export const notInTime = "it did not become ready in time";

/**
 * Why something did not become ready that was waited for in vain, as far as the provider saw; `undefined`: the message is about
 * something else. Pure.
 */
export function unreadyReasons(message: string): readonly string[] | undefined {
  const parts = message
    .replace(/^\d+ errors? occurred:\s*/, "")
    .split(/(?:^|\n)\t\* /)
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const others = parts.filter((part) => !waitOver.test(part));
  if (others.length === parts.length) return undefined;
  // That there are too few pods says the headline.
  const telling = others.filter((part) => !tellsNothing.test(part));
  return (telling.length > 0 ? telling : others).map(podWords);
}

const waitOver =
  /timed out waiting to be Ready$|' was created but failed to initialize$|is not ready: Not ready within|^Not ready within/;
const tellsNothing =
  /^\[MinimumReplicasUnavailable\]|^Minimum number of (?:live )?Pods|^\d+ of \d+ replicas ready$/;

/** `[Pod x]: containers with unready status: [m][ErrImagePull] why` */
function podWords(message: string): string {
  return message.replace(
    /^\[Pod (\S+)\]: containers with unready status: \[([^\]]*)\](?:\[(\w+)\])? ?/,
    (_, pod: string, containers: string, reason: string | undefined) =>
      `pod ${pod}, container ${containers}: ${reason === undefined ? "not ready" : `${reason}: `}`,
  );
}

/** One error alone needs no list. */
function withoutList(message: string): string {
  return message.replace(/^1 error occurred:\n\t\* ([\s\S]*?)\n*$/, "$1");
}

function conflictIn(message: string): string | undefined {
  const [, manager, text] =
    /managed by field manager "([^"]+)" had an apply conflict: (Apply failed with \d+ conflicts?: [\s\S]*)/.exec(
      message,
    ) ?? [];
  if (manager === undefined || text === undefined) return undefined;
  const owned = ownedFields(text).map(({ field, owner }) => `${field} belongs to "${owner}"`);
  if (owned.length === 0) return undefined;
  return (
    `Another owner has set fields that this program declares: ${owned.join("; ")} ` +
    `(this program applies as "${manager}"). Nothing was changed. Take the fields over with the annotation ` +
    `pulumi.com/patchForce: "true" or the provider's enablePatchForce, or leave them to their owner with ignoreChanges.`
  );
}

/**
 * The API server's own words: `conflict with "NAME" using apps/v1: .spec.replicas`, and below `conflicts with "NAME":` one field a line.
 */
function ownedFields(text: string): readonly { readonly field: string; readonly owner: string }[] {
  const found: { field: string; owner: string }[] = [];
  let owner = "";
  for (const line of text.split("\n")) {
    const [, name, one] = /\bconflicts? with "([^"]+)"[^:]*(?::\d\d[^:]*)*: ?(\.\S+)?/.exec(line) ?? [];
    if (name !== undefined) owner = name;
    const field = one ?? /^\s*- (\.\S+)/.exec(line)?.[1];
    if (field !== undefined) found.push({ field: field.replace(/^\./, ""), owner });
  }
  return found;
}
