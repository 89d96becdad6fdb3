import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";
import { exitCodes, UserError } from "../core/errors.ts";
import type { KubeconfigSource } from "../kubernetes/connect.ts";
import { deepEqual, listAt, mapAt, text } from "./objects.ts";
import type { Settings } from "./settings.ts";
import { isMap, type PropertyMap, type PropertyValue } from "./struct.ts";

/** The provider's `kubeconfig` argument is a path or the kubeconfig itself; an existing path wins. */
export function readKubeconfig(argument: string): { readonly path: string } | { readonly contents: string } {
  const path = argument === "~" || argument.startsWith("~/") ? join(homedir(), argument.slice(1)) : argument;
  // No path has line breaks, and every kubeconfig has a colon.
  if (!path.includes("\n") && path.length < 4096) {
    if (existsSync(path)) return { path };
    if (!path.includes(":")) {
      throw new UserError({
        code: "kubeconfig-invalid",
        // Without a slash it may be a credential that went to the wrong place.
        message: `The provider's kubeconfig${path.includes("/") ? ` "${argument}"` : ""} is neither a file that exists nor the contents of one.`,
        exitCode: exitCodes.usage,
      });
    }
  }
  return { contents: argument };
}

/** The cluster of a configured provider: its own kubeconfig, or the ambient one with its overrides. */
export function sourceOf(
  settings: Settings,
  ambient: KubeconfigSource,
  environment: Readonly<Record<string, string | undefined>>,
): KubeconfigSource {
  // The SDK fills a missing kubeconfig in from the environment: such a provider has not chosen any.
  const chosen = settings.kubeconfig === environment.KUBECONFIG ? undefined : settings.kubeconfig;
  const own = chosen === undefined ? undefined : readKubeconfig(chosen);
  // A provider with its own kubeconfig uses nothing of the ambient one, not even the name of the context.
  const { contents, path, ...selection } = ambient;
  const file = own ?? {
    ...(contents === undefined ? {} : { contents }),
    ...(path === undefined ? {} : { path }),
  };
  return {
    ...(own === undefined ? selection : {}),
    ...file,
    ...(settings.context === undefined ? {} : { context: settings.context }),
    ...(settings.cluster === undefined ? {} : { cluster: settings.cluster }),
  };
}

/** Whether two sets of provider arguments lead to different clusters, as far as kubeconfigs can tell. */
export function clusterChanged(olds: PropertyMap, news: PropertyMap): boolean {
  const before = activeCluster(olds);
  const after = activeCluster(news);
  return before !== undefined && after !== undefined && !deepEqual(before, after);
}

/** The entry of the cluster that the provider arguments select; `undefined` for the ambient kubeconfig. */
function activeCluster(args: PropertyMap): PropertyMap | undefined {
  const config = parseKubeconfig(args.kubeconfig);
  if (config === undefined) return undefined;
  const entry = (kind: string, name: string) =>
    listAt(config, kind).find((candidate) => text(candidate, "name") === name);
  const context = mapAt(
    entry("contexts", text(args, "context") || text(config, "current-context")),
    "context",
  );
  const cluster = mapAt(entry("clusters", text(args, "cluster") || text(context, "cluster")), "cluster");
  return Object.keys(cluster).length === 0 ? undefined : cluster;
}

function parseKubeconfig(argument: PropertyValue | undefined): PropertyMap | undefined {
  if (isMap(argument)) return argument;
  if (typeof argument !== "string" || argument === "") return undefined;
  const source = readKubeconfig(argument);
  const contents = "path" in source ? readFileSync(source.path, "utf8") : source.contents;
  let parsed: unknown;
  try {
    parsed = parse(contents);
  } catch {
    // The parser's message would quote the file, and with it credentials.
    throw new Error("The provider argument kubeconfig is neither the path of a file nor valid YAML or JSON.");
  }
  return isMap(parsed) ? parsed : undefined;
}
