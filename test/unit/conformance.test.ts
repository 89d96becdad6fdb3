import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..", "..");
const rows = readFileSync(join(root, "docs", "conformance.md"), "utf8")
  .split("\n")
  .filter((line) => line.startsWith("|") && !/^\| *(-|scenarios? there)/.test(line));

const named = rows.flatMap((row) =>
  [...row.matchAll(/`([^`\s]+\.test\.ts)` "((?:`[^`]*`|[^"])+)"/g)].map(([, file = "", title = ""]) => ({
    file,
    title,
  })),
);

test("every row names a test, or says why there is none", () => {
  expect(named.length).toBeGreaterThan(30);
  for (const row of rows) {
    const [, there = "", here = ""] = row.split("|").map((cell) => cell.trim());
    expect(there, row).not.toBe("");
    expect(here.length, row).toBeGreaterThan(20);
  }
});

test.each(named)("$file has the test “$title”", ({ file, title }) => {
  const text = readFileSync(join(root, file), "utf8");
  // A title that counts something is a template, and ends so.
  expect(text.includes(`"${title}"`) || text.includes(`${title}\``)).toBe(true);
});
