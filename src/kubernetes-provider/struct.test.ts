import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  fromStruct,
  fromWire,
  hasSecret,
  hasUnknown,
  type PropertyMap,
  type PropertyValue,
  reveal,
  Secret,
  toStruct,
  toWire,
  Unknown,
} from "./struct.ts";

const key = fc.string({ minLength: 1 }).filter((name) => name !== "__proto__");
const { value } = fc.letrec<{ value: PropertyValue }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.constant(null),
    fc.boolean(),
    fc.integer(),
    fc.string(),
    fc.constant(new Unknown()),
    tie("value")
      .filter((inner) => !(inner instanceof Secret))
      .map((inner) => new Secret(inner)),
    fc.array(tie("value")),
    fc.dictionary(key, tie("value"), { noNullPrototype: true }),
  ),
}));

describe("property values on the wire", () => {
  test("what is sent is what is read", () => {
    fc.assert(
      fc.property(fc.dictionary(key, value, { noNullPrototype: true }), (map) => {
        expect(fromStruct(toStruct(map))).toEqual(map);
      }),
    );
  });

  test("revealed values hold no secret, and as many unknowns as before", () => {
    fc.assert(
      fc.property(value, (given) => {
        expect(hasSecret(reveal(given))).toBe(false);
        expect(hasUnknown(reveal(given))).toBe(hasUnknown(given));
      }),
    );
  });

  test("secrets and unknowns are the engine's sentinels", () => {
    const wire = {
      password: { "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", value: "x" },
      name: "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
      count: "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    };
    const map = fromWire(wire) as PropertyMap;
    expect(map.password).toEqual(new Secret("x"));
    expect(map.name).toBeInstanceOf(Unknown);
    expect(map.count).toBeInstanceOf(Unknown);
    expect(toWire(map)).toEqual(wire);
  });
});
