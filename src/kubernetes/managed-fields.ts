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

/** One value of an object, by its path; items of lists by what tells them apart. */
export interface Leaf {
  /** `spec.template.spec.containers[name=model].image`. */
  readonly path: string;
  readonly value: unknown;
}

/** The values that fields of the form `FieldsV1` name, each by its path. Pure. */
export function ownedLeaves(object: unknown, fields: Fields, path = ""): Leaf[] {
  const keys = Object.keys(fields).filter((key) => key !== ".");
  if (keys.length === 0) return "." in fields ? [] : [{ path, value: object }];
  return keys.flatMap((key) => {
    const inner = fields[key];
    if (!isFields(inner)) return [];
    if (key.startsWith("f:")) {
      const name = key.slice("f:".length);
      if (!isFields(object) || !(name in object)) return [];
      return ownedLeaves(object[name], inner, path === "" ? name : `${path}${segment(name)}`);
    }
    const item = Array.isArray(object)
      ? (object as readonly unknown[]).find((one) => isItem(one, key))
      : undefined;
    return item === undefined ? [] : ownedLeaves(item, inner, `${path}${itemSegment(key)}`);
  });
}

function segment(name: string): string {
  return /^[A-Za-z_][\w-]*$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`;
}

function itemSegment(key: string): string {
  if (key.startsWith("v:")) return `[${key.slice(2)}]`;
  const wanted = parsed(key.slice(2));
  if (!isFields(wanted)) return "[?]";
  return `[${Object.entries(wanted)
    .map(([name, value]) => `${name}=${String(value)}`)
    .join(",")}]`;
}
