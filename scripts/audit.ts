/** Asks the registry for known vulnerabilities of what the lockfile names. `npm run audit`. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { type AuditVerdict, auditVerdict } from "./audit-verdict.ts";

function audit(args: readonly string[]): Promise<AuditVerdict> {
  const options = { cwd: join(import.meta.dirname, ".."), timeout: 60_000, maxBuffer: 64 * 1024 * 1024 };
  return new Promise((resolve) => {
    // npm ends with 1 both when it finds something and when nobody answers: what it wrote says which.
    execFile("npm", ["audit", "--json", ...args], options, (_error, stdout) => resolve(auditVerdict(stdout)));
  });
}

for (const [what, args] of [
  ["the published package", ["--omit=dev"]],
  ["everything", []],
] as const) {
  const verdict = await audit(args);
  console.log(`npm audit of ${what}: ${verdict.text}`);
  if (verdict.state === "vulnerable") process.exitCode = 1;
  // One that does not answer the first question does not answer the second.
  if (verdict.state === "skipped") break;
}
