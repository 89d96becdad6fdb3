import { decodeText } from "../../core/text.ts";
import { readYaml } from "../yaml.ts";

export type Fields = Readonly<Record<string, unknown>>;

/** One named entry, and the folder that its relative paths start from. */
export interface Entry {
  readonly name: string;
  readonly fields: Fields;
}

/** A kubeconfig as client-go understands it; entries by name, in the order of the file. */
export interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, Entry>;
  readonly users: ReadonlyMap<string, Entry>;
  readonly contexts: ReadonlyMap<string, Entry>;
  /** Empty: none. */
  readonly currentContext: string;
}

/** Why a kubeconfig cannot be used. Its message never quotes the file: what stands there may be a credential. */
export class KubeconfigProblem extends Error {
  override readonly name = "KubeconfigProblem";
}

export const emptyKubeconfig: Kubeconfig = {
  clusters: new Map(),
  users: new Map(),
  contexts: new Map(),
  currentContext: "",
};

/** @throws KubeconfigProblem */
export function parseKubeconfig(bytes: Uint8Array | string): Kubeconfig {
  const decoded = typeof bytes === "string" ? { text: bytes.replace(/^\uFEFF/, "") } : decodeText(bytes);
  if ("problem" in decoded) throw new KubeconfigProblem(`it ${decoded.problem}`);
  if (decoded.text.trim() === "") return emptyKubeconfig;
  const value = parsed(decoded.text);
  if (value === null || value === undefined) return emptyKubeconfig;
  const config = mapping(value, "it");
  requireHead(config);
  return {
    clusters: entries(config.clusters, "clusters", "cluster", clusterTexts),
    users: entries(config.users, "users", "user", userTexts),
    contexts: entries(config.contexts, "contexts", "context", contextTexts),
    currentContext: text(config["current-context"], "current-context"),
  };
}

function parsed(source: string): unknown {
  // What we pinned ourselves is JSON, and read many times.
  if (source.startsWith("{")) {
    try {
      return JSON.parse(source);
    } catch {
      // YAML's flow style begins so too.
    }
  }
  const read = readYaml(source, "1.1");
  if ("value" in read) return read.value;
  const { what, line, column } = read.mistake;
  throw new KubeconfigProblem(
    `it is neither YAML nor JSON: ${what.replaceAll(/[*&]\w\S*/g, "…")} (${line}:${column})`,
  );
}

function requireHead(config: Fields): void {
  const { apiVersion, kind } = config;
  if (kind !== undefined && kind !== "" && kind !== "Config") {
    throw new KubeconfigProblem(`its kind is ${shown(kind)}, not Config`);
  }
  if (apiVersion !== undefined && apiVersion !== "" && apiVersion !== "v1") {
    throw new KubeconfigProblem(`its apiVersion is ${shown(apiVersion)}, not v1`);
  }
}

function shown(value: unknown): string {
  return typeof value === "string" && value.length < 40 ? JSON.stringify(value) : `a ${kindOf(value)}`;
}

const clusterTexts = [
  "server",
  "tls-server-name",
  "certificate-authority",
  "certificate-authority-data",
  "proxy-url",
];
const userTexts = [
  "client-certificate",
  "client-certificate-data",
  "client-key",
  "client-key-data",
  "token",
  "tokenFile",
  "as",
  "as-uid",
  "username",
  "password",
];
const contextTexts = ["cluster", "user", "namespace"];

function entries(
  value: unknown,
  list: string,
  key: string,
  texts: readonly string[],
): ReadonlyMap<string, Entry> {
  const found = new Map<string, Entry>();
  if (value === undefined || value === null) return found;
  if (!Array.isArray(value)) throw new KubeconfigProblem(`its ${list} are a ${kindOf(value)}, not a list`);
  for (const [index, item] of value.entries()) {
    const place = `${list}[${index}]`;
    const named = mapping(item ?? {}, place);
    const name = text(named.name, `${place}.name`);
    const fields = mapping(named[key] ?? {}, `${place}.${key}`);
    for (const field of texts) text(fields[field], `${place}.${key}.${field}`);
    if (found.has(name)) throw new KubeconfigProblem(`it has two ${list} with the name "${name}"`);
    found.set(name, { name, fields });
  }
  return found;
}

function mapping(value: unknown, what: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new KubeconfigProblem(`${what} is a ${kindOf(value)}, not a mapping`);
}

/** Kubernetes takes nothing but text where text is meant: a number or `yes` needs quotes. */
function text(value: unknown, what: string): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  throw new KubeconfigProblem(`${what} is a ${kindOf(value)} where text is meant; put it in quotes`);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "list";
  return typeof value === "object" ? "mapping" : typeof value;
}
