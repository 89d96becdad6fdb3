import { createHash } from "node:crypto";
import { objectNames } from "../core/names.ts";

/** Of which Pulumi stack a state is. */
export interface StackId {
  readonly project: string;
  readonly stack: string;
}

/** The two sets of parts: one is valid, the other is written next. */
export const stateSets = ["a", "b"] as const;
export type StateSet = (typeof stateSets)[number];

/** How many Secrets a set may have. */
export const mostParts = 16;

/** Names of the Secrets that hold the state of one stack. They are fixed, since a Role names them. */
export interface StateNames {
  /** Says which set is valid, and holds the key. */
  readonly head: string;
  readonly parts: Readonly<Record<StateSet, readonly string[]>>;
}

/** What `modelswitch-MODEL` and a namespace or an environment come to. */
const plainStack = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/**
 * `MODEL-modelswitch.STACK` and `MODEL-modelswitch.STACK.a0` to `.b15`. A stack of another project than the model's own, or with a name that
 * no object can have, gets a digest of both behind it, so that no two stacks share a Secret. Pure.
 */
export function stateNames(model: string, { project, stack }: StackId): StateNames {
  const isPlain = project === `modelswitch-${model}` && plainStack.test(stack);
  const head = `${objectNames(model).record}.${isPlain ? stack : digested(project, stack)}`;
  const of = (set: StateSet) => Array.from({ length: mostParts }, (_, index) => `${head}.${set}${index}`);
  return { head, parts: { a: of("a"), b: of("b") } };
}

/** All of them. */
export function allStateNames({ head, parts }: StateNames): readonly string[] {
  return [head, ...parts.a, ...parts.b];
}

function digested(project: string, stack: string): string {
  const words = stack
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .slice(0, 50)
    .replace(/^-+|-+$/g, "");
  const digest = createHash("sha256").update(`${project}/${stack}`).digest("hex").slice(0, 8);
  return `${words === "" ? "stack" : words}.${digest}`;
}
