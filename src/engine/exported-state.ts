import { exitCodes, messageOf, UserError } from "../core/errors.ts";
import { isFields, valueAt } from "../core/fields.ts";
import { signature } from "./property-paths.ts";

/** What secrets have under that key. */
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/**
 * An exported state as the one of a stack that is there: with that stack's secrets provider. Secrets in clear are encrypted by it when they are
 * imported; those that were encrypted with another key would be lost. Pure.
 * @throws UserError `state-key-other`, `state-file-invalid` (exit code 2)
 */
export function asStateOf(
  about: { readonly project: string; readonly stack: string },
  exported: string,
  own: string,
): string {
  const value = parsed(exported);
  const deployment = valueAt(value, ["deployment"]);
  if (!isFields(value) || !isFields(deployment)) throw invalid("it has no `deployment`");
  const resources: unknown = deployment.resources ?? [];
  if (!Array.isArray(resources)) throw invalid("`deployment.resources` is no list");
  const stackName = about.stack.split("/").at(-1) ?? about.stack;
  const prefix = `urn:pulumi:${stackName}::${about.project}::`;
  const foreign = resources
    .map((resource: unknown) => String(valueAt(resource, ["urn"]) ?? ""))
    .find((urn) => !urn.startsWith(prefix));
  if (foreign !== undefined)
    throw invalid(
      `it is of another stack: ${foreign || "a resource without a URN"} is none of stack ${stackName} of project ${about.project}`,
    );
  const provider = valueAt(parsed(own), ["deployment", "secrets_providers"]);
  const isSame = JSON.stringify(provider) === JSON.stringify(deployment.secrets_providers);
  if (!isSame && hasCiphertext(resources)) throw otherKey();
  return JSON.stringify({
    ...value,
    deployment: { ...deployment, ...(provider === undefined ? {} : { secrets_providers: provider }) },
  });
}

function hasCiphertext(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasCiphertext);
  if (!isFields(value)) return false;
  if (value[signature] === secretSignature && "ciphertext" in value) return true;
  return Object.values(value).some(hasCiphertext);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw invalid(`it is no JSON (${messageOf(error)})`);
  }
}

function invalid(why: string): UserError {
  return new UserError({
    code: "state-file-invalid",
    message: `This is no state that can be imported: ${why}. Nothing was changed.`,
    hint: "Take what `modelswitch state export` or `pulumi stack export` wrote for this stack.",
    exitCode: exitCodes.usage,
  });
}

function otherKey(): UserError {
  return new UserError({
    code: "state-key-other",
    message:
      "The secrets in this state are encrypted with another key than the one that the cluster has now, so they would be lost. Nothing was changed.",
    hint: "Export it with its secrets in clear, where its key still is: `modelswitch state export --show-secrets`.",
    exitCode: exitCodes.usage,
  });
}
