import { requireCapability, routerNamed } from "../../component/routers/factory.ts";
import { routingWishes, testersProblem } from "../../component/routers/routing-wishes.ts";
import { defaults } from "../../core/defaults.ts";
import { isFields, valueAt } from "../../core/fields.ts";
import { parseSteps } from "../../core/rollout/steps.ts";
import type { RouterName } from "../../core/router-names.ts";
import type { Testers } from "../../core/testers.ts";
import { type ConfigProblem, refusal } from "../parts/problem.ts";

/** What is asked of the router beside moving traffic, and it cannot do. Reads the raw input; what has another shape is told for that. */
export function routingProblems(input: object, name: RouterName | undefined): ConfigProblem[] {
  if (name === undefined) return [];
  const router = routerNamed(name);
  const read = (...path: string[]) => valueAt(input, path);
  const testers = testersIn(read("routing", "testers"));
  const shadow = read("rollout", "shadow");
  const steps = read("rollout", "steps");
  const parsed = typeof steps === "string" ? parseSteps(steps) : undefined;
  const wishes = routingWishes(
    {
      ...(testers === undefined ? {} : { testers }),
      sticky: read("routing", "sticky") === "pin" ? "pin" : false,
    },
    shadow === undefined ? undefined : { percent: percentOf(shadow) },
    parsed?.kind === "steps" ? parsed.steps.map(({ weight }) => weight) : [],
  );
  const missing = wishes.flatMap(({ capability, place }): ConfigProblem[] => {
    const message = refusal(() => requireCapability(router, capability, place));
    return message === undefined ? [] : [{ path: place.split("."), message: `is given, but ${message}` }];
  });
  if (testers === undefined || missing.length > 0) return missing;
  const preview = String(read("previewHeader") ?? defaults.previewHeader);
  const problem = testersProblem(router, testers, preview);
  return problem === undefined
    ? []
    : [{ path: ["routing", "testers"], message: `cannot be told by the router "${name}": ${problem}` }];
}

function testersIn(value: unknown): Testers | undefined {
  if (!isFields(value)) return undefined;
  const { header, cookie } = value;
  const named = (part: unknown) => isFields(part) && typeof part.name === "string";
  return {
    ...(named(header) ? { header: header as NonNullable<Testers["header"]> } : {}),
    ...(named(cookie) ? { cookie: cookie as NonNullable<Testers["cookie"]> } : {}),
  };
}

function percentOf(shadow: unknown): number {
  const percent = valueAt(shadow, ["percent"]);
  return typeof percent === "number" ? percent : defaults.rollout.shadow.percent;
}
