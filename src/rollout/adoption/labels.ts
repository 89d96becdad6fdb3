import { ownLabels } from "../../core/names.ts";
import { otherSlot, type Slot } from "../../core/slots.ts";

/** Labels of one object. */
export type Labels = Readonly<Record<string, string>>;

/** Whether a selector takes pods with these labels. */
export function selects(selector: Labels, labels: Labels): boolean {
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** Which label of a found selector the other slot contradicts, best first. */
const preferred = ["version", "app.kubernetes.io/instance", "app", "app.kubernetes.io/name"];

/**
 * Labels for the other slot's pods that no selector of the adopted one takes, and that take none of its pods. Where the found
 * selectors say only `app: fraud`, `app: fraud, version: green` would be taken by them, too.
 */
export function otherSelector(
  model: string,
  adopted: Slot,
  found: readonly Labels[],
  podLabels: Labels,
): Labels {
  const slot = otherSlot(adopted);
  let selector: Record<string, string> = { app: model, version: slot };
  for (const theirs of found) {
    if (!selects(theirs, { ...podLabels, ...ownLabels(model), ...selector })) continue;
    const keys = Object.keys(theirs);
    const key = preferred.find((name) => keys.includes(name)) ?? keys[0];
    if (key === undefined) continue;
    selector = { ...selector, [key]: another(theirs[key] ?? "", slot) };
  }
  // Pods that are there might happen to have just these labels.
  if (selects(selector, podLabels)) selector = { ...selector, "modelswitch.dev/slot": slot };
  return selector;
}

/** A valid label value that is not this one. */
function another(value: string, slot: Slot): string {
  if (value === "") return slot;
  if (value !== slot && value.length < 20 && /^(v?[\d.]+|blue|green|stable|live)$/.test(value)) return slot;
  return `${value.slice(0, 62 - slot.length).replace(/[^A-Za-z0-9]+$/, "")}-${slot}`;
}
