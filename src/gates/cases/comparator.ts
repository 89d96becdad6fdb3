import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import type { Comparison } from "./compare.ts";

/**
 * A comparator of one's own: whether two answers are the same. `true`: they are; a text says how they differ. `expected`: what the case declares, or
 * what the live slot answered.
 */
export type Comparator = (expected: unknown, answer: unknown) => boolean | string;

/**
 * The comparison with the comparator that it names, if it names one. `folder`: of the configuration file.
 * @throws UserError `comparator-unusable`
 */
export async function loaded(folder: string, comparison: Comparison): Promise<Comparison> {
  if (comparison.kind !== "module") return comparison;
  const { file } = comparison;
  let found: unknown;
  try {
    found = (await import(pathToFileURL(resolve(folder, file)).href)) as unknown;
  } catch (error) {
    throw unusable(`${file} cannot be loaded: ${messageOf(error)}`);
  }
  const compare =
    typeof found === "object" && found !== null && "compare" in found ? found.compare : undefined;
  if (typeof compare !== "function") throw unusable(`${file} exports no function \`compare\``);
  return {
    kind: "own",
    differs: (expected, answer) => {
      let said: unknown;
      try {
        said = (compare as Comparator)(expected, answer);
      } catch (error) {
        // Its own mistake says nothing about the model.
        throw unusable(`compare of ${file} failed: ${messageOf(error)}`);
      }
      if (said === true) return undefined;
      if (said === false) return "another answer, says the comparator";
      if (typeof said === "string" && said !== "") return said;
      throw unusable(`compare of ${file} returned ${String(said)}, which is neither true, false nor a text`);
    },
  };
}

function unusable(why: string): UserError {
  return new UserError({
    code: "comparator-unusable",
    message: `The comparator of a gate cannot be used: ${why}.`,
    hint: "It is a module with `export function compare(expected, answer)`, which returns true, or how they differ.",
    exitCode: exitCodes.usage,
  });
}
