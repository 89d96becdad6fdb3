import { resolve } from "node:path";
import { exitCodes, UserError } from "../../core/errors.ts";
import type { Asking } from "../../gates/asking.ts";
import type { CommandContext, CommandInput, OptionSpec } from "../command.ts";

/** Options of commands that ask the model with the inputs of a file. */
export const askingOptions: readonly OptionSpec[] = [
  { name: "cases", value: "file", summary: "inputs: JSON Lines, or CSV where it ends so" },
  { name: "path", value: "path", summary: "as clients ask, for example /v2/models/fraud/infer" },
  {
    name: "protocol",
    value: "name",
    summary: "how inputs and answers look",
    defaultText: "open-inference under /v2/, else json",
  },
  {
    name: "compare",
    value: "how",
    summary:
      "exact, label, text, structure, absolute=0.001,relative=0.01, topK=5, cosine=0.99 or module=compare.ts; what the same answer is",
    defaultText: "exact",
  },
  { name: "answer", value: "path", summary: "dot-separated path into what is compared" },
  {
    name: "mask",
    value: "path",
    summary: "what is not shown, for example input.customer.name or answer; may be repeated",
    repeatable: true,
  },
  {
    name: "header",
    value: "name=VARIABLE",
    summary: "header of the requests, with the environment variable that has its value; may be repeated",
    repeatable: true,
  },
  { name: "insecure", summary: "take any certificate, over https" },
  { name: "pace", value: "requests", summary: "requests a second to the live side, at most" },
  {
    name: "gate",
    value: "name",
    summary: "gate of the configuration that says all this",
    defaultText: "the first one that can",
  },
];

export function wrongOption(name: string, message: string, hint?: string): UserError {
  return new UserError({
    code: "argument-invalid",
    message: `The option --${name} ${message}.`,
    ...(hint === undefined ? {} : { hint }),
    exitCode: exitCodes.usage,
  });
}

/** A positive number. */
export function numberOption({ options }: CommandInput, name: string): number | undefined {
  const text = options[name];
  if (typeof text !== "string") return undefined;
  const value = Number(text);
  if (text.trim() !== "" && Number.isFinite(value) && value > 0) return value;
  throw wrongOption(name, `is "${text}", but takes a number above 0`);
}

/**
 * What is asked: of the options, and for the rest of a gate of the configuration. `base`: that gate's.
 * @throws UserError `argument-invalid`, `argument-missing`
 */
export async function askingOf(
  input: CommandInput,
  context: Pick<CommandContext, "globals" | "env">,
  base: Asking | undefined,
): Promise<Asking> {
  const { z } = await import("zod");
  const gates = await import("../../gates/asking.ts");
  const { options, lists } = input;
  const text = (name: string) => (typeof options[name] === "string" ? options[name] : undefined);
  const compare = text("compare");
  const given = Object.fromEntries(
    Object.entries({
      cases: text("cases"),
      path: text("path"),
      protocol: text("protocol"),
      compare: compare === undefined ? undefined : comparison(compare),
      answer: text("answer"),
      mask: lists?.mask,
      headers: headersOf(lists?.header ?? [], context.env),
      insecure: options.insecure === true ? true : undefined,
    }).filter(([, value]) => value !== undefined),
  );
  const parsed = z.strictObject(gates.askingShape).partial().safeParse(given);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const key = String(issue?.path[0] ?? "cases");
    if (key === "compare") {
      throw wrongOption(
        key,
        `is "${String(compare)}", but takes exact, label, text, structure, absolute=0.001,relative=0.01, topK=5, cosine=0.99 or module=FILE`,
      );
    }
    throw wrongOption(key === "headers" ? "header" : key, issue?.message ?? "cannot be used");
  }
  const own = parsed.data;
  const path = own.path ?? base?.path;
  const cases = own.cases === undefined ? base?.cases : resolve(context.globals.folder, own.cases);
  if (path === undefined || cases === undefined) {
    throw new UserError({
      code: "argument-missing",
      message: `It is not known ${cases === undefined ? "which inputs" : "under which path"} to ask.`,
      hint: "Give --cases FILE and --path PATH, or the configuration a gate `parity` or `golden` that has them.",
      exitCode: exitCodes.usage,
    });
  }
  const isOtherPath = own.path !== undefined && own.path !== base?.path;
  const said = gates.askingOf(
    {
      cases,
      path,
      ...(own.protocol === undefined ? {} : { protocol: own.protocol }),
      ...(own.compare === undefined ? {} : { compare: own.compare }),
      ...(own.answer === undefined ? {} : { answer: own.answer }),
      ...(own.mask === undefined ? {} : { mask: own.mask }),
      ...(own.headers === undefined ? {} : { headers: own.headers }),
      ...(own.insecure === undefined ? {} : { insecure: own.insecure }),
    },
    base?.timeoutMs ?? 10_000,
  );
  if (base === undefined) return said;
  return {
    ...said,
    ...(own.protocol === undefined && !isOtherPath ? { protocol: base.protocol } : {}),
    ...(own.compare === undefined ? { comparison: base.comparison } : {}),
    ...(own.answer === undefined ? { answer: base.answer } : {}),
    ...(own.mask === undefined ? { mask: base.mask } : {}),
    headers: { ...base.headers, ...said.headers },
    ...(own.insecure === undefined ? { insecure: base.insecure } : {}),
  };
}

/** `absolute=0.001,relative=0.01` as the configuration has it. */
function comparison(text: string): unknown {
  if (!text.includes("=")) return text;
  if (text.startsWith("module=")) return { module: text.slice("module=".length) };
  return Object.fromEntries(
    text.split(",").map((part) => {
      const [key = "", value = ""] = part.split("=");
      return [key.trim(), value.trim() === "" ? Number.NaN : Number(value)];
    }),
  );
}

/** Values of headers are never on a command line, which others on the machine can read. */
function headersOf(
  pairs: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> | undefined {
  if (pairs.length === 0) return undefined;
  return Object.fromEntries(
    pairs.map((pair) => {
      const [name = "", variable = ""] = pair.split("=");
      const value = env[variable];
      if (name !== "" && value !== undefined && value !== "") return [name, value];
      throw wrongOption(
        "header",
        variable === "" ? `is "${pair}"` : `names the environment variable ${variable}, which is not set`,
        "For example --header Authorization=TOKEN, with the value in the environment variable TOKEN.",
      );
    }),
  );
}
