import { type Fields, isFields } from "../../core/fields.ts";

/** A schema that is shorter than this is written out where it is used, characters. */
const shortest = 200;

/**
 * The same JSON schema with every part that occurs more than once, and is worth it, written once in `$defs`. Pure. Only what is
 * a schema itself is shared: what stands under a keyword that holds schemas.
 */
export function withShared(root: Fields): Record<string, unknown> {
  const counts = new Map<string, number>();
  count(root, counts);
  const names = new Map<string, string>();
  for (const [text, times] of counts) {
    if (times > 1 && text.length >= shortest) names.set(text, `shared-${names.size + 1}`);
  }
  const shared = Object.fromEntries(
    [...names].map(([text, name]) => [name, replaced(JSON.parse(text) as Fields, names, true)]),
  );
  const { $defs, ...rest } = replaced(root, names, true) as { readonly $defs?: Fields };
  return { ...rest, $defs: { ...$defs, ...shared } };
}

function count(schema: unknown, counts: Map<string, number>): void {
  for (const child of childrenOf(schema)) {
    const text = JSON.stringify(child);
    const seen = counts.get(text) ?? 0;
    counts.set(text, seen + 1);
    // What is inside of one that is shared already is written once with it.
    if (seen === 0 || text.length < shortest) count(child, counts);
  }
}

function replaced(schema: unknown, names: ReadonlyMap<string, string>, isWhole = false): unknown {
  if (!isFields(schema)) return schema;
  const name = isWhole ? undefined : names.get(JSON.stringify(schema));
  if (name !== undefined) return { $ref: `#/$defs/${name}` };
  return Object.fromEntries(
    Object.entries(schema).map(([keyword, value]) => {
      if (lists.has(keyword) && Array.isArray(value)) {
        return [keyword, value.map((child: unknown) => replaced(child, names))];
      }
      if (maps.has(keyword) && isFields(value)) {
        const entries = Object.entries(value).map(([key, child]) => [key, replaced(child, names)]);
        return [keyword, Object.fromEntries(entries)];
      }
      return [keyword, single.has(keyword) ? replaced(value, names) : value];
    }),
  );
}

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const single = new Set(["additionalProperties", "items", "propertyNames", "not"]);
const lists = new Set(["anyOf", "oneOf", "allOf", "prefixItems"]);
const maps = new Set(["properties", "patternProperties", "$defs"]);

function childrenOf(schema: unknown): unknown[] {
  if (!isFields(schema)) return [];
  return Object.entries(schema)
    .flatMap(([keyword, value]) => {
      if (lists.has(keyword) && Array.isArray(value)) return value as unknown[];
      if (maps.has(keyword) && isFields(value)) return Object.values(value);
      return single.has(keyword) ? [value] : [];
    })
    .filter(isFields);
}
