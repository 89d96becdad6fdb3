import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { lineSchema } from "./event-schema.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/json-output.md"), "utf8");
const lines = [...page.matchAll(/```json\n(.*?)```/gs)]
  .map(([, text]) => JSON.parse(text ?? "") as { readonly type?: string })
  .filter(({ type }) => type !== undefined);

describe("the published schema of a line", () => {
  test("fits every line that the documentation shows", () => {
    expect(lines.length).toBeGreaterThan(7);
    for (const line of lines) {
      const { success, error } = lineSchema.safeParse(line);
      expect(success, `${JSON.stringify(line)}: ${error?.message}`).toBe(true);
    }
  });

  test("refuses what is none", () => {
    expect(lineSchema.safeParse({ type: "phase", message: "x" }).success).toBe(false);
    expect(lineSchema.safeParse({ type: "other" }).success).toBe(false);
  });
});
