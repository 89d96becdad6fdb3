import type { ReadConfig } from "../../config/file/read.ts";
import type { Setting, Source } from "../../config/report/settings.ts";
import type { KubeconfigSource } from "../../kubernetes/connect.ts";
import type { Command, CommandContext, CommandResult } from "../command.ts";
import type { Loadable } from "../load-config.ts";
import { table } from "../output/table.ts";
import { allOption, errorTexts, queryModels, titleOf } from "./rollout-context.ts";

export const configShow: Command = {
  name: "config show",
  summary: "Show the configuration that applies: files put together, variables and defaults filled in",
  description:
    "With --resolved every value says where it comes from. Values that may be secrets are hidden. The cluster is not asked. Where the file has several models and none is named, all of them in the environment; with --all in every environment.",
  options: [{ name: "resolved", summary: "say of every value where it comes from" }, allOption],
  examples: [
    "modelswitch config show",
    "modelswitch config show --resolved",
    "modelswitch config show --resolved --json --environment production",
  ],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  run: (input, context) => {
    const resolved = input.options.resolved === true;
    const entry = (shown: Shown) => documentOf(shown, resolved);
    return queryModels(input, context, {
      atOnce: 4,
      query: (loadable) => show(loadable, context),
      one: (shown): CommandResult => ({ data: entry(shown), text: lines(shown, resolved) }),
      entry,
      several: (found) => [
        ...found.flatMap((each, index) =>
          "value" in each ? [...(index === 0 ? [] : ["---"]), ...lines(each.value, resolved)] : [],
        ),
        ...errorTexts(found),
      ],
    });
  },
};

interface Shown {
  readonly read: ReadConfig;
  readonly settings: readonly Setting[];
  readonly yaml: string;
  readonly config: Readonly<Record<string, unknown>>;
}

async function show(loadable: Loadable, context: CommandContext): Promise<Shown> {
  const [
    { asConfig, settingsOf },
    { clusterFor },
    { contextNamespace },
    { resolveConfig },
    { stringify },
    { UserError },
  ] = await Promise.all([
    import("../../config/report/settings.ts"),
    import("../load-config.ts"),
    import("../kubeconfig.ts"),
    import("../../config/model/resolve.ts"),
    import("yaml"),
    import("../../core/errors.ts"),
  ]);
  const read = await loadable.read();
  const { globals, env } = context;
  // Which cluster is meant may be open: what the files say can be shown all the same.
  const kubeconfig = await clusterFor(read, globals, env).catch((error: unknown) => {
    if (error instanceof UserError) return undefined;
    throw error;
  });
  const resolved = resolveConfig(read.config, {
    file: read.file,
    kubeconfig: kubeconfig ?? {},
    contextNamespace:
      read.config.namespace ?? (kubeconfig === undefined ? undefined : await contextNamespace(kubeconfig)),
    environment: read.environment,
  });
  const settings = settingsOf(read.effective, { resolved, ...clusterSettings(context, read, kubeconfig) });
  const config = asConfig(settings);
  return { read, settings, config, yaml: stringify(config) };
}

/** Cluster and context are chosen by more than the file. */
function clusterSettings(
  { globals, env }: CommandContext,
  { config }: ReadConfig,
  kubeconfig: KubeconfigSource | undefined,
): { readonly kubeconfig: Setting | undefined; readonly context: Setting | undefined } {
  const { given = {}, cluster, kubeconfigPath, context } = globals;
  const from = (path: string, value: unknown, name: string): Setting => ({
    path: [path],
    value,
    source: { kind: "surroundings", name },
  });
  const chosen =
    cluster !== undefined ? given.cluster : kubeconfigPath !== undefined ? given.kubeconfig : undefined;
  const usual =
    (env.KUBECONFIG ?? "") !== ""
      ? "KUBECONFIG"
      : (kubeconfig?.path ?? "").endsWith("/.kube/config")
        ? "~/.kube/config"
        : "the local cluster";
  // Of several files KUBECONFIG itself says which.
  const path = kubeconfig?.path ?? (usual === "KUBECONFIG" ? env.KUBECONFIG : undefined);
  return {
    kubeconfig:
      chosen !== undefined
        ? from("kubeconfig", kubeconfig?.path, chosen)
        : path === undefined || config.kubeconfig !== undefined
          ? undefined
          : from("kubeconfig", path, usual),
    context: context === undefined ? undefined : from("context", context, given.context ?? "--context"),
  };
}

function documentOf(shown: Shown, resolved: boolean): Readonly<Record<string, unknown>> {
  const { read, settings, config } = shown;
  const document = {
    model: read.effective.target.model,
    environment: read.environment ?? null,
    file: read.file,
    config,
  };
  if (!resolved) return document;
  return {
    ...document,
    values: settings.map(({ path, value, note, source }) => ({
      path: path.map(String),
      ...(note === undefined ? { value } : { note }),
      source: sourceDocument(source),
    })),
  };
}

function sourceDocument(source: Source): Readonly<Record<string, unknown>> {
  switch (source.kind) {
    case "file": {
      const { file, path, variables } = source.origin;
      return {
        kind: "file",
        file,
        path: path.map(String),
        ...(variables === undefined ? {} : { variables }),
      };
    }
    case "default":
    case "preset":
    case "surroundings":
      return { ...source };
  }
}

function lines(shown: Shown, resolved: boolean): string[] {
  const { read, settings, yaml } = shown;
  const head = `# ${titleOf({ ...read.effective.target })}, from ${read.file}`;
  if (!resolved) return [head, ...yaml.trimEnd().split("\n")];
  const rows = settings.map(({ path, value, note, source }) => [
    path.join("."),
    note === undefined ? valueText(value) : `(${note})`,
    sourceText(source, read.file),
  ]);
  return [head, ...table([["KEY", "VALUE", "FROM"], ...rows])];
}

function valueText(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > 70 ? `${text.slice(0, 67)}...` : text;
}

function sourceText(source: Source, main: string): string {
  switch (source.kind) {
    case "file": {
      const { file, path, variables = [] } = source.origin;
      const name = file.slice(file.lastIndexOf("/") + 1);
      const where = file === main && path.length === 0 ? name : `${name}: ${path.join(".")}`;
      return variables.length === 0 ? where : `${where}, with ${variables.join(", ")}`;
    }
    case "default":
      return "default";
    case "preset":
      return `default of ${source.preset}`;
    case "surroundings":
      return source.name;
  }
}
