import { exitCodes, UserError } from "../../core/errors.ts";
import { infinityIn } from "../../core/exact-json.ts";

/** One input, and what the release has to answer to it. */
export interface GoldenCase {
  /** For messages: its own, or the line of the file. */
  readonly id: string;
  /** Line of the file, from 1. */
  readonly line: number;
  readonly input: unknown;
  readonly expected: unknown;
  /** The part of the traffic that it is of, where the file says so. */
  readonly segment?: string;
}

/** What a case has to have: golden compares with what is expected, others ask the live model. */
export type CaseNeeds = "expected" | "input";

/** Where a file of cases is wrong. */
export interface CasePlace {
  readonly file: string;
  readonly line: number;
  readonly field?: string;
}

/** An error of a file of cases: it says which file, line and field. */
export function caseError({ file, line, field }: CasePlace, why: string): UserError {
  const place = field === undefined ? `${file}:${line}` : `${file}:${line}, ${field}`;
  return new UserError({
    code: "cases-invalid",
    message: `${place}: ${why}.`,
    hint: 'A case has an input and what is expected, for example {"input": [0.1, 0.7], "expected": "fraud"}.',
    exitCode: exitCodes.usage,
    details: { file, line, ...(field === undefined ? {} : { field }) },
  });
}

/**
 * A case from the fields of a line. What is expected may be called `expected` or `label`, the input may be left out where other fields are:
 * then these are the input together.
 * @throws UserError `cases-invalid`
 */
export function caseOf(
  fields: Readonly<Record<string, unknown>>,
  place: CasePlace,
  needs: CaseNeeds = "expected",
): GoldenCase {
  const { id, input, expected, label, ...rest } = fields;
  // Beside an input only: without one it is a field of the input like any other.
  const { segment: named, ...others } = rest;
  const segment = input === undefined ? undefined : named;
  if (expected !== undefined && label !== undefined) {
    throw caseError(
      { ...place, field: "label" },
      'stands beside "expected"; only one of them can be what is expected',
    );
  }
  const right = expected ?? label;
  if (needs === "expected" && (right === undefined || right === null || right === "")) {
    throw caseError({ ...place, field: "expected" }, "is missing, so that any answer would be right");
  }
  const more = Object.keys(input === undefined ? rest : others);
  if (input !== undefined && more.length > 0) {
    throw caseError({ ...place, field: more[0] ?? "" }, 'is no field of a case that has an "input"');
  }
  const given = input ?? (more.length === 0 ? undefined : rest);
  if (given === undefined) throw caseError({ ...place, field: "input" }, "is missing");
  requireFinite(given, place);
  const name = isName(id) && typeof id !== "boolean" ? String(id) : `line ${place.line}`;
  return {
    ...{ id: name, line: place.line, input: given, expected: right },
    ...(isName(segment) ? { segment: String(segment) } : {}),
  };
}

/**
 * An input with a number that no double holds would be sent with `null` in its place.
 * @throws UserError `cases-invalid`
 */
export function requireFinite(input: unknown, place: CasePlace): void {
  const at = infinityIn(input);
  if (at === undefined) return;
  const field = at === "" ? "input" : `input.${at}`;
  throw caseError({ ...place, field }, "is a number that is too large for 64 bits");
}

const isName = (value: unknown) => ["string", "number", "bigint", "boolean"].includes(typeof value);
