import { deepEqual } from "./objects.ts";
import { isMap, type PropertyMap } from "./struct.ts";

/** JSON merge patch (RFC 7386) from one object to another; lists are replaced as a whole. */
export function mergePatch(from: PropertyMap, to: PropertyMap): PropertyMap {
  const patch: PropertyMap = {};
  for (const key of Object.keys(from)) if (to[key] === undefined) patch[key] = null;
  for (const [key, value] of Object.entries(to)) {
    const before = from[key];
    if (deepEqual(before, value)) continue;
    patch[key] = isMap(before) && isMap(value) ? mergePatch(before, value) : value;
  }
  return patch;
}
