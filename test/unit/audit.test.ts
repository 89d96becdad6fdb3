import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { auditVerdict } from "../../scripts/audit-verdict.ts";

test("only a report of the registry is a verdict", () => {
  const metadata = (total: number) => ({ vulnerabilities: { total } });
  expect(auditVerdict(JSON.stringify({ metadata: metadata(0) })).state).toBe("clean");
  const found = { vulnerabilities: { left: { severity: "high" } }, metadata: metadata(1) };
  expect(auditVerdict(JSON.stringify(found))).toMatchObject({ state: "vulnerable" });
  expect(auditVerdict(JSON.stringify(found)).text).toContain("left (high)");
  expect(auditVerdict('{"message":"405 Method Not Allowed"}').state).toBe("skipped");
  expect(auditVerdict("").state).toBe("skipped");
});

test("every package that npm installs is locked by its checksum", () => {
  const lock = JSON.parse(
    readFileSync(join(import.meta.dirname, "..", "..", "package-lock.json"), "utf8"),
  ) as {
    packages: Record<string, { link?: boolean; integrity?: string; bundled?: boolean; inBundle?: boolean }>;
  };
  const unlocked = Object.entries(lock.packages)
    .filter(
      ([path, { link, inBundle }]) => path.includes("node_modules/") && link !== true && inBundle !== true,
    )
    .filter(([, { integrity }]) => !/^sha(256|384|512)-/.test(integrity ?? ""))
    .map(([path]) => path);
  expect(unlocked).toEqual([]);
});
