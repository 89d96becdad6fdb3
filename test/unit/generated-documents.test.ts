import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { generatedDocuments } from "../../scripts/generated-documents.ts";

describe("documents that are written from the code", () => {
  test.each(generatedDocuments().map(({ path, text }) => [path, text]))(
    "%s is current (else: npm run docs)",
    (path, text) => {
      expect(readFileSync(path, "utf8")).toBe(text);
    },
  );
});
