import { type Fields, isFields } from "../core/fields.ts";
import type { KubernetesObject } from "./api.ts";

/** Who wrote which fields of an object, as the API server remembers it. */
export interface FieldOwner {
  readonly manager: string;
  readonly operation: string;
  /** ISO 8601; when it last wrote. */
  readonly time: string | undefined;
  /** `status`, `scale`; empty for the object itself. */
  readonly subresource: string;
  /** `FieldsV1`. */
  readonly fields: Fields;
}

/** Pure. */
export function fieldOwners(object: KubernetesObject): FieldOwner[] {
  return (object.metadata?.managedFields ?? []).flatMap((entry) => {
    if (!isFields(entry) || !isFields(entry.fieldsV1)) return [];
    const { manager, operation, time, subresource, fieldsV1 } = entry;
    return [
      {
        manager: String(manager ?? ""),
        operation: String(operation ?? ""),
        time: typeof time === "string" ? time : undefined,
        subresource: typeof subresource === "string" ? subresource : "",
        fields: fieldsV1,
      },
    ];
  });
}

/** The part of an object that fields of the form `FieldsV1` name. Pure. */
export function ownedPart(object: unknown, fields: Fields): unknown {
  const keys = Object.keys(fields).filter((key) => key !== ".");
  // Nothing below it is named: the whole value is meant, or of a map only that it is there.
  if (keys.length === 0) return "." in fields ? emptyOf(object) : object;
  if (Array.isArray(object)) {
    const items: readonly unknown[] = object;
    return items.flatMap((item) => {
      const key = keys.find((one) => isItem(item, one));
      const inner = key === undefined ? undefined : fields[key];
      return isFields(inner) ? [withKey(ownedPart(item, inner), item, key ?? "")] : [];
    });
  }
  if (!isFields(object)) return object;
  return Object.fromEntries(
    keys.flatMap((key) => {
      const name = key.slice("f:".length);
      const inner = fields[key];
      return key.startsWith("f:") && name in object && isFields(inner)
        ? [[name, ownedPart(object[name], inner)]]
        : [];
    }),
  );
}

function emptyOf(value: unknown): unknown {
  if (Array.isArray(value)) return [];
  return isFields(value) ? {} : value;
}

/** `k:{"name":"model"}` is the item with these values, `v:"x"` the item that is this value. */
function isItem(item: unknown, key: string): boolean {
  if (key.startsWith("v:")) return JSON.stringify(item) === key.slice(2);
  const wanted = key.startsWith("k:") ? parsed(key.slice(2)) : undefined;
  if (!isFields(wanted) || !isFields(item)) return false;
  return Object.entries(wanted).every(([name, value]) => item[name] === value);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** An item without what tells it from the others would be no item. */
function withKey(part: unknown, item: unknown, key: string): unknown {
  const wanted = key.startsWith("k:") ? parsed(key.slice(2)) : undefined;
  if (!isFields(part) || !isFields(wanted) || !isFields(item)) return part;
  const { protocol: _default, ...named } = wanted;
  return { ...named, ...part };
}

/** One step to a value: a key, or what tells an item of a list from the others. */
export type PathStep = string | Fields;

/** One value of an object. */
export interface Leaf {
  readonly steps: readonly PathStep[];
  readonly value: unknown;
}

/** The values that fields of the form `FieldsV1` name. Pure. */
export function ownedLeaves(object: unknown, fields: Fields, steps: readonly PathStep[] = []): Leaf[] {
  const keys = Object.keys(fields).filter((key) => key !== ".");
  if (keys.length === 0) return "." in fields ? [] : [{ steps, value: object }];
  return keys.flatMap((key) => {
    const inner = fields[key];
    const next = isFields(inner) ? stepOf(object, key) : undefined;
    if (next === undefined || !isFields(inner)) return [];
    return ownedLeaves(valueIn(object, [next]), inner, [...steps, next]);
  });
}

/** Where a key of `FieldsV1` leads; `undefined` where the object has nothing there. */
function stepOf(object: unknown, key: string): PathStep | undefined {
  if (key.startsWith("f:")) {
    const name = key.slice("f:".length);
    return isFields(object) && name in object ? name : undefined;
  }
  const wanted = key.startsWith("k:") ? parsed(key.slice(2)) : undefined;
  return isFields(wanted) && valueIn(object, [wanted]) !== undefined ? wanted : undefined;
}

/** The value at the end of the steps. An item may lack keys that have a default. */
export function valueIn(object: unknown, steps: readonly PathStep[]): unknown {
  let value = object;
  for (const one of steps) {
    if (typeof one === "string") value = isFields(value) ? value[one] : undefined;
    else {
      const items: readonly unknown[] = Array.isArray(value) ? value : [];
      value = items.find(
        (item) =>
          isFields(item) && Object.entries(one).every(([name, key]) => !(name in item) || item[name] === key),
      );
    }
  }
  return value;
}

/** `spec.template.spec.containers[model].image`. */
export function pathText(steps: readonly PathStep[]): string {
  return steps.reduce<string>((path, one) => {
    if (typeof one !== "string") return `${path}[${Object.values(one).map(String).join(",")}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(one)) return `${path}[${JSON.stringify(one)}]`;
    return path === "" ? one : `${path}.${one}`;
  }, "");
}
