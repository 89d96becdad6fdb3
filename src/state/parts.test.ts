import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { pack, partBytes, unpack } from "./parts.ts";

describe("parts of a state", () => {
  test("a small state is one part", async () => {
    const { parts, sha256, bytes } = await pack('{"version":3}');
    expect(parts).toHaveLength(1);
    expect(bytes).toBe(13);
    expect(await unpack(parts, sha256)).toBe('{"version":3}');
  });

  test("one of more than 1 MiB after compression is several, each of which a Secret can hold", async () => {
    const text = randomBytes(3_000_000).toString("base64");
    const { parts, sha256 } = await pack(text);
    expect(parts.length).toBeGreaterThan(2);
    for (const part of parts) expect(part.length).toBeLessThanOrEqual(partBytes);
    expect(await unpack(parts, sha256)).toBe(text);
  });

  test.each([
    ["a part is missing", (parts: readonly Buffer[]) => parts.slice(1)],
    ["they are in another order", (parts: readonly Buffer[]) => parts.toReversed()],
    ["one is cut", (parts: readonly Buffer[]) => parts.map((part) => part.subarray(0, 10))],
    ["there is none", () => []],
  ])("nothing comes of them where %s", async (_case, change) => {
    const { parts, sha256 } = await pack(randomBytes(1_500_000).toString("base64"));
    expect(await unpack(change(parts), sha256)).toBeUndefined();
  });

  test("nor where they are another state's", async () => {
    const [one, other] = [await pack("one"), await pack("other")];
    expect(await unpack(one.parts, other.sha256)).toBeUndefined();
  });

  test("what does not fit is refused, with another place to go", async () => {
    await expect(pack(randomBytes(16_000_000).toString("latin1"))).rejects.toMatchObject({
      code: "state-too-large",
      hint: expect.stringContaining("pulumi.backend"),
    });
  });
});
