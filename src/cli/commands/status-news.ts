import { isFields } from "../../core/fields.ts";

type Document = Readonly<Record<string, unknown>>;

/** Points of a share that are news; counts of requests differ with every look. */
const newsPoints = 10;

/** Whether a status says something that the one shown last does not. Pure. */
export function isStatusNews(shown: Document, now: Document): boolean {
  if (withoutObserved(shown) !== withoutObserved(now)) return true;
  const [before, after] = [observedOf(shown), observedOf(now)];
  return before.some((one, index) => isOther(one, after[index]));
}

function withoutObserved(document: Document): string {
  return JSON.stringify(document, (key, value: unknown) => (key === "observed" ? undefined : value));
}

/** Of the one model, or of each of several. */
function observedOf({ models, observed }: Document): unknown[] {
  return Array.isArray(models)
    ? models.map((model: unknown) => isFields(model) && model.observed)
    : [observed];
}

function isOther(before: unknown, after: unknown): boolean {
  if (!isFields(before) || !isFields(after)) return before !== after;
  if (before.kind !== after.kind || before.why !== after.why) return true;
  const [one, other] = [shareOf(before), shareOf(after)];
  if (one === undefined || other === undefined) return one !== other;
  return Math.abs(one - other) >= newsPoints;
}

function shareOf({ split }: Document): number | undefined {
  return isFields(split) && typeof split.green === "number" ? split.green : undefined;
}
