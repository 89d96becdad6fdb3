import { mayBeSecret } from "../../config/parts/problem.ts";
import { UserError } from "../../core/errors.ts";
import type { EventSink } from "../../core/events.ts";
import { isFields } from "../../core/fields.ts";
import { hideTexts } from "../../core/hidden-texts.ts";
import type { ModelSpec } from "../../core/model.ts";
import { slots } from "../../core/slots.ts";
import type { OperationResult, ResourceChange } from "../../engine/stack.ts";

const hidden = "[hidden]";
/** Shorter ones are words, whose place in every message would be lost. */
const shortest = 6;

/** Values of variables whose names sound like secrets: whoever refuses a Deployment may quote them. Pure. */
export function secretValues({ slots: each, server }: ModelSpec): string[] {
  const variables = [server.env, ...slots.map((slot) => each[slot].env ?? {})].flatMap(Object.entries);
  const values = variables.flatMap(([name, value]) =>
    typeof value === "string" && value.length >= shortest && mayBeSecret([name]) ? [value] : [],
  );
  return [...new Set(values)];
}

/** The same, with each of the values hidden in every text of it. Pure. */
export function without<T>(value: T, secrets: readonly string[]): T {
  if (typeof value === "string") {
    return hideTexts(value, secrets, hidden) as T;
  }
  if (Array.isArray(value)) return value.map((one: unknown) => without(one, secrets)) as T;
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, without(inner, secrets)])) as T;
}

/** Values of variables are in no list of changes: a log must not have them. Pure. */
export function withoutVariables(result: OperationResult): OperationResult {
  return { ...result, changes: result.changes.map(withoutValues) };
}

function withoutValues(change: ResourceChange): ResourceChange {
  return {
    ...change,
    properties: change.properties.map(({ path, before, after }) => {
      const isValue = /\benv\[\d+\]\.value$/.test(path);
      const isVariables = /\benv(\[\d+\])?$/.test(path);
      const show = (value: unknown) => (isValue ? hidden : hiddenBelow(value, isVariables));
      return {
        path,
        ...(before === undefined ? {} : { before: show(before) }),
        ...(after === undefined ? {} : { after: show(after) }),
      };
    }),
  };
}

function hiddenBelow(value: unknown, isVariables: boolean): unknown {
  if (Array.isArray(value)) return value.map((one: unknown) => hiddenBelow(one, isVariables));
  if (!isFields(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      isVariables && key === "value" ? hidden : hiddenBelow(inner, isVariables || key === "env"),
    ]),
  );
}

/** Events whose texts have none of the values. */
export function hidingEvents(events: EventSink, secrets: () => readonly string[]): EventSink {
  return (event) => {
    const said: Record<string, unknown> = { ...event };
    for (const key of ["message", "hint", "detail"] as const)
      if (typeof said[key] === "string") said[key] = without(said[key], secrets());
    events(said as typeof event);
  };
}

/** Runs `work`; what it fails with has none of the values. */
export async function hidingErrors<T>(secrets: readonly string[], work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { code, message, hint, exitCode, details } = error;
    const said = { message, hint, details };
    const shown = without(said, secrets);
    if (JSON.stringify(shown) === JSON.stringify(said)) throw error;
    // Without its cause, which says the same, unhidden.
    throw new UserError({
      code,
      exitCode,
      message: shown.message,
      ...(shown.hint === undefined ? {} : { hint: shown.hint }),
      ...(shown.details === undefined ? {} : { details: shown.details }),
    });
  }
}
