import structPb from "google-protobuf/google/protobuf/struct_pb.js";

/**
 * Property values as the Pulumi engine sends them: JSON plus secrets and values that are not known yet.
 * On the wire both are sentinels inside a protobuf Struct; everywhere else they are these two classes.
 */
export type PropertyValue =
  | null
  | boolean
  | number
  | string
  | readonly PropertyValue[]
  | PropertyMap
  | Secret
  | Unknown;

export interface PropertyMap {
  [key: string]: PropertyValue;
}

/** A value that is encrypted in the state and masked in every display. */
export class Secret {
  readonly value: PropertyValue;

  constructor(value: PropertyValue) {
    this.value = value;
  }
}

/** A value that is only known after something else has been created; occurs in previews. */
export class Unknown {
  /** The sentinel, which also says the type of the value to come. */
  readonly sentinel: string;

  constructor(sentinel: string = unknownString) {
    this.sentinel = sentinel;
  }
}

const signatureKey = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";
const unknownString = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const unknownSentinels: ReadonlySet<string> = new Set([
  unknownString,
  "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7", // boolean
  "3eeb2bf0-c639-47a8-9e75-3b44932eb421", // number
  "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2", // array
  "030794c1-ac77-496b-92df-f27374a8bd58", // asset
  "e48ece36-62e2-4504-bad9-02848725956a", // archive
  "dd056dcd-154b-4c76-9bd3-c8f88648b5ff", // object
]);

export function isMap(value: unknown): value is PropertyMap {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret) &&
    !(value instanceof Unknown)
  );
}

export function isList(value: unknown): value is readonly PropertyValue[] {
  return Array.isArray(value);
}

/** Reads a Struct that came over the wire; an absent one is empty. */
export function fromStruct(struct: structPb.Struct | undefined): PropertyMap {
  const value = fromWire(struct?.toJavaScript() ?? {});
  return isMap(value) ? value : {};
}

/** Builds a Struct for the wire. */
export function toStruct(map: PropertyMap): structPb.Struct {
  return structPb.Struct.fromJavaScript(toWire(map) as Parameters<typeof structPb.Struct.fromJavaScript>[0]);
}

/** Replaces the sentinels of the wire format by `Secret` and `Unknown`. */
export function fromWire(value: unknown): PropertyValue {
  if (typeof value === "string") return unknownSentinels.has(value) ? new Unknown(value) : value;
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.map(fromWire);
  if (typeof value !== "object" || value === null) return null;
  const map = value as Record<string, unknown>;
  if (map[signatureKey] === secretSignature) {
    const inner = fromWire(map.value);
    return inner instanceof Secret ? inner : new Secret(inner);
  }
  return Object.fromEntries(Object.entries(map).map(([key, inner]) => [key, fromWire(inner)]));
}

/** The opposite of `fromWire`. */
export function toWire(value: PropertyValue): unknown {
  if (value instanceof Unknown) return value.sentinel;
  if (value instanceof Secret) return { [signatureKey]: secretSignature, value: toWire(value.value) };
  if (isList(value)) return value.map(toWire);
  if (isMap(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, toWire(inner)]));
  }
  return value;
}

/** A deep copy without the secret marks: what the API server is sent. */
export function reveal(value: PropertyMap): PropertyMap;
export function reveal(value: PropertyValue): PropertyValue;
export function reveal(value: PropertyValue): PropertyValue {
  if (value instanceof Secret) return reveal(value.value);
  if (isList(value)) return value.map((inner) => reveal(inner));
  if (isMap(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, reveal(inner)]));
  }
  return value;
}

export function hasUnknown(value: PropertyValue): boolean {
  return contains(value, (inner) => inner instanceof Unknown);
}

export function hasSecret(value: PropertyValue): boolean {
  return contains(value, (inner) => inner instanceof Secret);
}

function contains(value: PropertyValue, test: (value: PropertyValue) => boolean): boolean {
  if (test(value)) return true;
  if (value instanceof Secret) return contains(value.value, test);
  if (isList(value)) return value.some((inner) => contains(inner, test));
  if (isMap(value)) return Object.values(value).some((inner) => contains(inner, test));
  return false;
}
