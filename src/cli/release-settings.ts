import type { ReleaseTemplate } from "../config/model/types.ts";
import { exitCodes, UserError } from "../core/errors.ts";
import type { ModelServer } from "../core/model.ts";

/**
 * The template with what `--set KEY=VALUE` changes in it. Keys are those of `release` in the configuration file, dots lead
 * inwards (`env.THRESHOLD=0.7`); values are texts where the key takes a text, else JSON.
 * @throws UserError `set-invalid`, `config-invalid` (exit code 2)
 */
export async function withSettings(
  template: ReleaseTemplate,
  settings: readonly string[],
  { file, server }: { readonly file: string; readonly server: Pick<ModelServer, "http"> },
): Promise<ReleaseTemplate> {
  if (settings.length === 0) return template;
  const { configProblems } = await import("../config/model/validate.ts");
  const problemsOf = (release: unknown) => configProblems({ name: "model", ...around(server), release });
  let release: unknown = template;
  for (const setting of settings) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(setting) ?? [];
    if (key === undefined || value === undefined) {
      throw new UserError({
        code: "set-invalid",
        message: `--set ${setting}: write KEY=VALUE.`,
        hint: "For example --set image=registry/fraud:1.5 or --set env.THRESHOLD=0.7.",
        exitCode: exitCodes.usage,
      });
    }
    const path = key.split(".");
    const asText = assigned(release, path, value);
    // Numbers and lists are written as JSON; what is a valid text stays one.
    release = problemsOf(asText).length === 0 ? asText : assigned(release, path, parsed(value));
  }
  const problems = problemsOf(release);
  if (problems.length > 0) {
    throw new UserError({
      code: "set-invalid",
      message: `With --set ${settings.join(" --set ")}, the release is not valid:\n${problems
        .map(({ path, message }) => `  ${path.join(".")}: ${message}`)
        .join("\n")}`,
      hint: `The keys are those of \`release\` in ${file}; docs/configuration.md describes them.`,
      exitCode: exitCodes.usage,
    });
  }
  return release as ReleaseTemplate;
}

/** What has to be around a release for it to be a configuration. */
function around({ http }: Pick<ModelServer, "http">): object {
  const host = "model.example.org";
  if (http !== false) return { ingress: { host } };
  const grpcOnly = { method: "any.Service/Method", from: { kind: "field", path: "1" } };
  return { server: { preset: "custom", grpcOnly }, ingress: { host, protocol: "grpc" } };
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(value) as unknown;
  } catch {
    return value;
  }
}

function assigned(target: unknown, path: readonly string[], value: unknown): unknown {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  const object = typeof target === "object" && target !== null && !Array.isArray(target) ? target : {};
  return { ...object, [key]: assigned(Reflect.get(object, key), rest, value) };
}
