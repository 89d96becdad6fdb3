import { parseExact } from "../../core/exact-json.ts";
import { isFields } from "../../core/fields.ts";
import { batchCase, isBatchLine } from "./batch.ts";
import { type CaseNeeds, caseError, caseOf, type GoldenCase } from "./case.ts";

/**
 * Cases of a file in JSON Lines; empty lines are skipped.
 * @throws UserError `cases-invalid`
 */
export function casesOfJsonLines(text: string, file: string, needs?: CaseNeeds): readonly GoldenCase[] {
  let url: string | undefined;
  return text.split("\n").flatMap((content, index): GoldenCase[] => {
    const place = { file, line: index + 1 };
    if (content.trim() === "") return [];
    let fields: unknown;
    try {
      fields = parseExact(content);
    } catch (error) {
      throw caseError(place, `is no JSON: ${error instanceof Error ? error.message : String(error)}`);
    }
    if (!isFields(fields)) throw caseError(place, "is no JSON object");
    if (!isBatchLine(fields)) return [caseOf(fields, place, needs)];
    const one = batchCase(fields, place, url);
    url ??= typeof fields.url === "string" ? fields.url : undefined;
    if (needs !== "input" && (one.expected === undefined || one.expected === null)) {
      throw caseError(
        { ...place, field: "expected" },
        "is missing: name the file with the answers of the batch in `expected` of the gate",
      );
    }
    return [one];
  });
}
