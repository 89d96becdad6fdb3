import { annotations, isTrue } from "./annotations.ts";
import { jobVerdict } from "./await/workloads.ts";
import { parseCheckpoint, toObject } from "./checkpoint.ts";
import type { ObjectDiff } from "./diff.ts";
import { nameOf, namespaceOf, text } from "./objects.ts";
import type { Session } from "./session.ts";
import type { PropertyMap } from "./struct.ts";
import { gvkOf } from "./tokens.ts";

/** The annotation `pulumi.com/replaceUnready`: a Job that has not succeeded is made anew, even if nothing else changes. */
export async function replaceUnready(
  session: Session,
  request: { readonly urn: string; readonly olds: PropertyMap; readonly news: PropertyMap },
  diff: ObjectDiff,
): Promise<ObjectDiff> {
  const news = toObject(request.news);
  if (!isTrue(news, annotations.replaceUnready)) return diff;
  if (text(news, "kind") !== "Job") {
    session.log.log("warning", request.urn, `${annotations.replaceUnready} has a meaning for Jobs only.`);
    return diff;
  }
  const { live } = parseCheckpoint(request.olds);
  const gvk = gvkOf(text(live, "apiVersion"), text(live, "kind"));
  const job = await session.client.find(gvk, namespaceOf(live), nameOf(live), session.signal);
  if (job === undefined || jobVerdict(job, []).state === "ready") return diff;
  const path = `metadata.annotations["${annotations.replaceUnready}"]`;
  const changes = new Map(diff.changes).set(path, { kind: "update", replaces: true, inputDiff: false });
  const fixedName = nameOf(news) === nameOf(live) && !isTrue(news, annotations.autonamed);
  return {
    changes,
    replaces: [...diff.replaces, path],
    deleteBeforeReplace: diff.deleteBeforeReplace || fixedName,
  };
}
