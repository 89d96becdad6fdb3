export interface AuditVerdict {
  readonly state: "clean" | "vulnerable" | "skipped";
  readonly text: string;
}

/** What `npm audit --json` says. Only a report is a verdict: mirrors often have no advisories, and machines no network. */
export function auditVerdict(output: string): AuditVerdict {
  let report: {
    readonly vulnerabilities?: Readonly<Record<string, { readonly severity?: string }>>;
    readonly metadata?: { readonly vulnerabilities?: { readonly total?: number } };
    readonly message?: string;
  };
  try {
    report = JSON.parse(output) as typeof report;
  } catch {
    return { state: "skipped", text: "skipped, npm gave no report" };
  }
  const total = report.metadata?.vulnerabilities?.total;
  if (total === undefined) {
    return { state: "skipped", text: "skipped, the registry does not answer audits" };
  }
  if (total === 0) return { state: "clean", text: "no known vulnerabilities" };
  const names = Object.entries(report.vulnerabilities ?? {}).map(
    ([name, { severity }]) => `${name} (${severity ?? "unknown"})`,
  );
  return { state: "vulnerable", text: `${total} known vulnerabilities: ${names.join(", ")}` };
}
