import { isFields } from "../core/fields.ts";
import { defaultAlpha } from "../core/statistics/lines.ts";

/** A gate as a configuration has it, by the key of its kind. */
type Form = Readonly<Record<string, unknown>>;

/**
 * One alpha for a release: the gates that judge by statistics share it equally, but for those that say what theirs is. `keys`: of the kinds that
 * do. Pure.
 */
export function withSharedAlpha<T extends object>(
  gates: readonly T[],
  keys: readonly string[],
): readonly T[] {
  const keyOf = (gate: T) => keys.find((key) => (gate as Form)[key] !== undefined);
  const sharing = gates.filter((gate) => keyOf(gate) !== undefined).length;
  return gates.map((gate) => {
    const key = keyOf(gate);
    const own = key === undefined ? undefined : (gate as Form)[key];
    if (key === undefined || !isFields(own) || own.alpha !== undefined) return gate;
    return { ...gate, [key]: { ...own, alpha: defaultAlpha / sharing } };
  });
}
