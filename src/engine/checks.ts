import { exitCodes, UserError } from "../core/errors.ts";
import { withoutCredentials } from "../core/urls.ts";
import type { StackOptions } from "./stack.ts";

const backendSchemes = ["file", "s3", "gs", "azblob", "postgres", "postgresql", "mysql", "http", "https"];
const secretsSchemes = ["awskms", "azurekeyvault", "gcpkms", "hashivault"];
const nameRule = "1 to 100 letters, digits, hyphens, underscores and periods";

/**
 * Refuses what the CLI would refuse later, and less clearly (it takes a URL it doesn't know for a service to log in to).
 * @throws UserError with exit code 2
 */
export function checkOptions(
  options: Pick<StackOptions, "project" | "stack" | "backendUrl" | "secrets">,
): void {
  const isName = (name: string) => /^[\w.-]{1,100}$/.test(name);
  if (!isName(options.project)) throw refused("project-name-invalid", "project", options.project, nameRule);
  if (!options.stack.split("/").every(isName) || options.stack.split("/").length > 3) {
    throw refused(
      "stack-name-invalid",
      "stack",
      options.stack,
      `${nameRule} (ORGANIZATION/PROJECT/STACK with a service)`,
    );
  }
  const { backendUrl, secrets } = options;
  if (backendUrl !== undefined && !backendSchemes.includes(schemeOf(backendUrl))) {
    throw refused(
      "backend-invalid",
      "Pulumi backend",
      withoutCredentials(backendUrl),
      schemes(backendSchemes),
    );
  }
  if (
    secrets.kind === "provider" &&
    secrets.url !== "default" &&
    !secretsSchemes.includes(schemeOf(secrets.url))
  ) {
    const allowed = `${schemes(secretsSchemes)}, or a passphrase`;
    throw refused("secrets-provider-invalid", "secrets provider", withoutCredentials(secrets.url), allowed);
  }
}

function refused(code: string, what: string, value: string, allowed: string): UserError {
  return new UserError({
    code,
    message: `"${value}" is no ${what} that Pulumi takes.`,
    hint: `It can be ${allowed}.`,
    exitCode: exitCodes.usage,
  });
}

function schemeOf(url: string): string {
  return /^([a-z0-9+.-]+):\/\//i.exec(url)?.[1]?.toLowerCase() ?? "";
}

function schemes(names: readonly string[]): string {
  return names.map((name) => `${name}://…`).join(", ");
}
