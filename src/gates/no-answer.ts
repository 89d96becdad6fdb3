import { writeExact } from "../core/exact-json.ts";
import { isFields } from "../core/fields.ts";
import type { Asking } from "./asking.ts";

/** What servers say beside an error. */
const besideErrors = new Set(
  "error errors detail details message msg code status status_code type title success ok path timestamp trace traceback stack id request_id requestid".split(
    " ",
  ),
);

/**
 * Why a value says nothing of the model, though HTTP says that all is well; `undefined`: it does say something. Two slots that fail alike would be
 * called equal. Plain JSON alone has no form of its own for errors. Pure.
 */
export function noAnswer(
  { protocol, answer }: Pick<Asking, "protocol" | "answer">,
  value: unknown,
): string | undefined {
  if (value === undefined) return `the answer has nothing at ${answer ?? "its beginning"}`;
  if (protocol !== "json" || answer !== undefined || !isFields(value)) return undefined;
  const fields = Object.entries(value);
  const isSaid = fields.some(([name, said]) => isError(name) && typeof said !== "number" && !isEmpty(said));
  if (!isSaid || !fields.every(([name]) => besideErrors.has(name.toLowerCase()))) return undefined;
  return `the answer is an error: ${writeExact(value).slice(0, 120)}`;
}

const isError = (name: string) => /^errors?$/i.test(name);

function isEmpty(said: unknown): boolean {
  return said === null || said === false || said === "" || (Array.isArray(said) && said.length === 0);
}
