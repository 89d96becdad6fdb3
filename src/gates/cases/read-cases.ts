import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import { decodeText } from "../../core/text.ts";
import type { Read } from "../protocols/protocol.ts";
import { withBatchOutput } from "./batch.ts";
import type { CaseNeeds, GoldenCase } from "./case.ts";
import { casesOfCsv } from "./csv.ts";
import { casesOfJsonLines } from "./json-lines.ts";

/** Gates look again and again: a file that is as it was need not be read again. */
const kept = new Map<string, { readonly stamp: string; readonly cases: readonly GoldenCase[] }>();
const mostKept = 8;

/** Changes with the file; `undefined`: it cannot be told. */
async function stampOf(folder: string, file: string): Promise<string | undefined> {
  try {
    const { mtimeNs, ctimeNs, size, ino } = await stat(resolve(folder, file), { bigint: true });
    return [mtimeNs, ctimeNs, size, ino].join(" ");
  } catch {
    return undefined;
  }
}

/**
 * Cases of a file: CSV where its name ends so, else JSON Lines. `file`: from `folder`.
 * @throws UserError `cases-unreadable`, `cases-invalid`, `cases-empty`
 */
export async function readCases(
  folder: string,
  file: string,
  needs: CaseNeeds = "expected",
): Promise<readonly GoldenCase[]> {
  const key = `${needs} ${resolve(folder, file)}`;
  const stamp = await stampOf(folder, file);
  const before = kept.get(key);
  if (stamp !== undefined && before?.stamp === stamp) return before.cases;
  const text = await textOf(folder, file);
  const cases = /\.csv$/i.test(file) ? casesOfCsv(text, file, needs) : casesOfJsonLines(text, file, needs);
  kept.delete(key);
  if (cases.length > 0) {
    if (stamp !== undefined) kept.set(key, { stamp, cases });
    for (const [oldest] of kept) if (kept.size > mostKept) kept.delete(oldest);
    return cases;
  }
  throw new UserError({
    code: "cases-empty",
    message: `${file} has no case, so that any release would pass.`,
    exitCode: exitCodes.usage,
  });
}

/**
 * Cases whose answers are expected as the file says, or as another one has them from a batch. `value`: what is compared of an answer.
 * @throws UserError as `readCases`
 */
export async function readExpected(
  folder: string,
  { cases: file, expected }: { readonly cases: string; readonly expected: string | undefined },
  value: (answer: unknown) => Read,
): Promise<readonly GoldenCase[]> {
  if (expected === undefined) return await readCases(folder, file);
  const cases = await readCases(folder, file, "input");
  return withBatchOutput(cases, file, { text: await textOf(folder, expected), file: expected }, value);
}

async function textOf(folder: string, file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(resolve(folder, file));
  } catch (error) {
    throw new UserError({
      code: "cases-unreadable",
      message: `The cases in ${file} cannot be read: ${messageOf(error)}.`,
      hint: "The path begins at the folder of the configuration file.",
      exitCode: exitCodes.usage,
    });
  }
  const decoded = decodeText(bytes);
  if ("problem" in decoded) {
    throw new UserError({
      code: "cases-unreadable",
      message: `${file} ${decoded.problem}.`,
      exitCode: exitCodes.usage,
    });
  }
  return decoded.text;
}
