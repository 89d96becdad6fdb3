import { readFile } from "node:fs/promises";
import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import type { RolloutReport } from "../../rollout/record/rollout-report.ts";
import { asReport, type ChainCheck } from "../../rollout/report/chain.ts";
import type { CommandResult } from "../command.ts";
import type { Checked } from "./ssh-keygen.ts";

/**
 * A report in a file, to the letter as it was signed.
 * @throws UserError `report-file-invalid`
 */
export async function readSigned(
  file: string,
  signature: string,
): Promise<{ readonly text: string; readonly report: RolloutReport }> {
  const text = await readText(file, "the report");
  await readText(signature, "the signature");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`${file} is no JSON: ${messageOf(error)}`);
  }
  const report = asReport(value);
  if (report === undefined) throw invalid(`${file} is no report of a rollout.`);
  return { text, report };
}

async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw invalid(`${what} ${file} cannot be read: ${messageOf(error)}`);
  }
}

function invalid(message: string): UserError {
  return new UserError({
    code: "report-file-invalid",
    message,
    hint: "Name what `modelswitch report sign` wrote: FILE, with FILE.sig beside it.",
    exitCode: exitCodes.usage,
  });
}

/** What was found of a signed report. `chain`: `undefined` where the record was left out. */
export interface Findings {
  readonly report: RolloutReport;
  readonly isDigestRight: boolean;
  readonly checked: Checked;
  readonly chain: ChainCheck | undefined;
}

/** What is wrong, if anything, and the exit code. Pure. */
export function verifyResult({ report, isDigestRight, checked, chain }: Findings): CommandResult {
  const problems = [
    ...signatureProblems(checked),
    ...(isDigestRight
      ? []
      : [{ code: "report-changed", message: "The report was changed: its SHA-256 is another one." }]),
    ...(chain?.problems ?? []),
  ];
  const isUnknown = problems.every(({ code }) => code === "report-chain-unknown");
  const exitCode = problems.length === 0 ? exitCodes.done : isUnknown ? exitCodes.held : exitCodes.failed;
  const { model, namespace, environment, rollout, kind, release, outcome, endedAt, by, sha256 } = report;
  return {
    exitCode,
    data: {
      verified: problems.length === 0,
      ...{ model, namespace, environment, rollout, kind, outcome, by, endedAt, sha256 },
      release: release?.number ?? null,
      image: release?.imageId ?? release?.image ?? null,
      signature: {
        isGood: checked.kind === "good",
        key: checked.kind === "bad" ? null : checked.key,
        signer: checked.kind === "good" ? checked.signer : null,
      },
      chain:
        chain === undefined
          ? null
          : { holds: chain.problems.length === 0, reports: chain.reports, links: chain.links },
      problems,
    },
    text: [
      `${model} in ${namespace}: ${kind} of release ${release?.number ?? "unknown"} (rollout ${rollout}), ${outcome} at ${endedAt}, by ${by}`,
      checked.kind === "good"
        ? `Signed with the ${checked.key}${checked.signer === null ? "" : ` of ${checked.signer}`}.`
        : checked.kind === "stranger"
          ? `Signed with the ${checked.key}.`
          : "Not signed as it is.",
      chain === undefined
        ? "The record was left out (--offline): the signature alone was looked at."
        : `The record's chain: ${chain.reports} reports and ${chain.links} links were computed again.`,
      ...(problems.length === 0
        ? ["All of it holds."]
        : problems.map(({ code, message }) => `NOT VERIFIED (${code}): ${message}`)),
    ],
  };
}

function signatureProblems(checked: Checked): { readonly code: string; readonly message: string }[] {
  switch (checked.kind) {
    case "good":
      return [];
    case "bad":
      return [
        {
          code: "report-signature-invalid",
          message: `The signature is not of this report, or is none: ${checked.why}.`,
        },
      ];
    case "stranger":
      return [
        { code: "report-signer-unknown", message: `The ${checked.key} is not among those that you trust.` },
      ];
  }
}
