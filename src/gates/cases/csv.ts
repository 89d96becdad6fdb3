import { parseExact } from "../../core/exact-json.ts";
import { type CaseNeeds, caseError, caseOf, type GoldenCase } from "./case.ts";

/** A record of a CSV file, and the line on which it begins. */
interface CsvRecord {
  readonly line: number;
  readonly values: readonly string[];
}

/**
 * Records of a CSV file as RFC 4180 has it: commas, quotes that are doubled within quotes, line breaks within quotes.
 * @throws UserError `cases-invalid`
 */
function recordsOf(text: string, file: string): readonly CsvRecord[] {
  const records: CsvRecord[] = [];
  let values: string[] = [];
  let value = "";
  let isQuoted = false;
  let wasQuoted = false;
  let line = 1;
  let begins = 1;
  const endValue = () => {
    values.push(value);
    value = "";
    wasQuoted = false;
  };
  const endRecord = () => {
    const isEmpty = values.length === 0 && value === "" && !wasQuoted;
    endValue();
    if (!isEmpty) records.push({ line: begins, values });
    values = [];
    begins = line;
  };
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === "\n") line++;
    if (isQuoted) {
      if (character !== '"') value += character;
      else if (text[at + 1] === '"') {
        value += '"';
        at++;
      } else isQuoted = false;
    } else if (character === '"') {
      if (value !== "" || wasQuoted) {
        throw caseError({ file, line }, "has a quote within a value that does not begin with one");
      }
      isQuoted = true;
      wasQuoted = true;
    } else if (wasQuoted && !",\r\n".includes(character)) {
      throw caseError({ file, line }, "has something between a quote that ends and the next comma");
    } else if (character === ",") endValue();
    else if (character === "\n") endRecord();
    else if (character !== "\r") value += character;
  }
  if (isQuoted) throw caseError({ file, line: begins }, "has a quote that does not end");
  endRecord();
  return records;
}

/** Numbers and JSON as what they are, anything else as text. Codes such as 007 stay text. */
function asWritten(text: string): unknown {
  if (/^-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?$/.test(text) || /^(true|false|null)$/.test(text))
    return parseExact(text);
  if (!/^[[{]/.test(text)) return text;
  try {
    return parseExact(text);
  } catch {
    return text;
  }
}

/**
 * Cases of a CSV file: the first line has the names of the columns; `expected` or `label` is what is expected, `id` a name, `input` the input, or
 * all other columns together.
 * @throws UserError `cases-invalid`
 */
export function casesOfCsv(text: string, file: string, needs?: CaseNeeds): readonly GoldenCase[] {
  const [head, ...records] = recordsOf(text, file);
  if (head === undefined) return [];
  const names = head.values.map((name) => name.trim());
  const again = names.find((name, index) => names.indexOf(name) !== index);
  if (again !== undefined)
    throw caseError({ file, line: head.line, field: again }, "is the name of two columns");
  return records.map(({ line, values }) => {
    if (values.length !== names.length) {
      throw caseError({ file, line }, `has ${values.length} values, but there are ${names.length} columns`);
    }
    const fields = Object.fromEntries(names.map((name, index) => [name, asWritten(values[index] ?? "")]));
    return caseOf(fields, { file, line }, needs);
  });
}
