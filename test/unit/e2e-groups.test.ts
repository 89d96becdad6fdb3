import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { alone, early, longest, paired } from "../e2e/groups.ts";

const folder = join(import.meta.dirname, "..", "e2e");
const ending = ".test.ts";
const names = readdirSync(folder)
  .filter((name) => name.endsWith(ending))
  .map((name) => name.slice(0, -ending.length));

/** What would disturb tests that run at the same time, as it stands in a file. */
const disturbing: Readonly<Record<string, RegExp>> = {
  "kills or suspends components of the cluster": /cluster-faults\.ts/,
  "changes the node": /method: "(PATCH|PUT|DELETE)",\s*path: `?"?\/api\/v1\/nodes/,
  "compares what is on the machine": /machine-snapshot\.ts/,
  "starts a cluster": /local-cluster\/src\/index\.ts/,
};

test("each group names files that are there, and no file is in two", () => {
  const named = [...early, ...paired, ...Object.keys(alone)];
  expect(named.filter((name) => !names.includes(name))).toEqual([]);
  expect(new Set(named).size).toBe(named.length);
  expect(longest.filter((name) => !names.includes(name))).toEqual([]);
});

test.each(Object.entries(disturbing))("what %s runs alone", (_, pattern) => {
  const found = names.filter((name) => pattern.test(readFileSync(join(folder, name + ending), "utf8")));
  expect(found.filter((name) => alone[name] === undefined)).toEqual([]);
});
