import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import { decodeText } from "../../core/text.ts";
import { type CaseNeeds, casesOfJsonLines, type GoldenCase } from "./case.ts";
import { casesOfCsv } from "./csv.ts";

/**
 * Cases of a file: CSV where its name ends so, else JSON Lines. `file`: from `folder`.
 * @throws UserError `cases-unreadable`, `cases-invalid`, `cases-empty`
 */
export async function readCases(
  folder: string,
  file: string,
  needs: CaseNeeds = "expected",
): Promise<readonly GoldenCase[]> {
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
  const cases = /\.csv$/i.test(file)
    ? casesOfCsv(decoded.text, file, needs)
    : casesOfJsonLines(decoded.text, file, needs);
  if (cases.length > 0) return cases;
  throw new UserError({
    code: "cases-empty",
    message: `${file} has no case, so that any release would pass.`,
    exitCode: exitCodes.usage,
  });
}
