import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { UserError } from "../core/errors.ts";
import { type ChosenCluster, textOf } from "./kubeconfig/choose.ts";
import type { Fields } from "./kubeconfig/parse.ts";

/** What a credential plug-in gave. */
export interface PluginCredentials {
  readonly token: string | undefined;
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;
  /** When they end, in milliseconds since 1970. */
  readonly expiresAt: number | undefined;
}

/** The credential plug-in of one user of a kubeconfig. Its answers are kept until they expire; all who wait share one run. */
export interface ExecPlugin {
  credentials(): Promise<PluginCredentials>;
  /** The API server refuses these: the plug-in is asked again, unless it was since. */
  refused(credentials: PluginCredentials): void;
}

type Env = Readonly<Record<string, string | undefined>>;

/** The outside world, replaced in tests. */
export interface PluginWorld {
  readonly env: Env;
  readonly now: () => number;
  /** Whether somebody can answer the plug-in's questions. */
  readonly isTerminal: boolean;
  /** @default 60 s, and 5 min where a person has to log in */
  readonly deadlineMs?: number;
}

const realWorld = (): PluginWorld => ({
  env: process.env,
  now: Date.now,
  isTerminal: process.stdin.isTTY === true,
});

/** Several clients in one process are one user: a login is asked for once. */
const shared = new Map<string, ExecPlugin>();

/** The plug-in that the kubeconfig's user names; `undefined` where it names none, or has credentials that come before it. */
export function execPluginOf(chosen: ChosenCluster): ExecPlugin | undefined {
  const exec = chosen.user.exec as Fields | null | undefined;
  if (exec === undefined || exec === null) return undefined;
  const key = JSON.stringify([exec, chosen.cluster]);
  const known = shared.get(key);
  if (known !== undefined) return known;
  const plugin = execPlugin(exec, chosen, realWorld());
  shared.set(key, plugin);
  return plugin;
}

export function execPlugin(exec: Fields, chosen: ChosenCluster, world: PluginWorld): ExecPlugin {
  let current: PluginCredentials | undefined;
  let running: Promise<PluginCredentials> | undefined;
  const isOver = ({ expiresAt }: PluginCredentials) => expiresAt !== undefined && expiresAt <= world.now();
  return {
    async credentials() {
      if (current !== undefined && !isOver(current)) return current;
      running ??= run(exec, chosen, world).then(
        (fresh) => {
          current = fresh;
          running = undefined;
          return fresh;
        },
        (error: unknown) => {
          running = undefined;
          throw error;
        },
      );
      return await running;
    },
    refused(credentials) {
      if (credentials === current) current = undefined;
    },
  };
}

async function run(exec: Fields, chosen: ChosenCluster, world: PluginWorld): Promise<PluginCredentials> {
  const mode = textOf(exec, "interactiveMode") || "IfAvailable";
  const interactive = mode !== "Never" && world.isTerminal;
  if (mode === "Always" && !interactive) {
    throw failed(exec, "needs a terminal to ask questions, and there is none (interactiveMode Always)");
  }
  const output = await outputOf(exec, execInfo(exec, chosen, interactive), interactive, world);
  return credentialsIn(exec, output);
}

/** What the plug-in is told in KUBERNETES_EXEC_INFO. */
export function execInfo(exec: Fields, { cluster }: ChosenCluster, interactive: boolean): string {
  return JSON.stringify({
    kind: "ExecCredential",
    apiVersion: exec.apiVersion,
    spec: {
      interactive,
      ...(exec.provideClusterInfo === true ? { cluster: clusterInfo(cluster) } : {}),
    },
  });
}

function clusterInfo(cluster: Fields): Fields {
  const copied = [
    "server",
    "tls-server-name",
    "insecure-skip-tls-verify",
    "certificate-authority-data",
    "proxy-url",
    "disable-compression",
  ].filter((name) => cluster[name] !== undefined && cluster[name] !== "");
  const file = textOf(cluster, "certificate-authority");
  const extensions = Array.isArray(cluster.extensions) ? (cluster.extensions as Fields[]) : [];
  const config = extensions.find(({ name }) => name === "client.authentication.k8s.io/exec")?.extension;
  return {
    ...Object.fromEntries(copied.map((name) => [name, cluster[name]])),
    ...(file === "" ? {} : { "certificate-authority-data": readFileSync(file).toString("base64") }),
    ...(config === undefined ? {} : { config }),
  };
}

/** How much a plug-in may say. */
const maxOutput = 4 * 1024 * 1024;

async function outputOf(
  exec: Fields,
  info: string,
  interactive: boolean,
  world: PluginWorld,
): Promise<string> {
  const command = textOf(exec, "command");
  const deadlineMs = world.deadlineMs ?? (interactive ? 300_000 : 60_000);
  const variables = (Array.isArray(exec.env) ? (exec.env as Fields[]) : []).map(({ name, value }) => [
    String(name),
    String(value ?? ""),
  ]);
  const child = spawn(command, Array.isArray(exec.args) ? exec.args.map(String) : [], {
    env: { ...world.env, ...Object.fromEntries(variables), KUBERNETES_EXEC_INFO: info },
    // Its questions go to the terminal; without one, what it says is kept for the error.
    stdio: [interactive ? "inherit" : "ignore", "pipe", interactive ? "inherit" : "pipe"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => {
    if (stdout.length < maxOutput) stdout += chunk;
  });
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => {
    stderr = (stderr + chunk).slice(-2_000);
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    kill();
    // Its own children may hold the pipes open.
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, deadlineMs);
  try {
    const code = await new Promise<number | string>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (status, signal) => resolve(status ?? signal ?? -1));
    });
    if (isLate) throw failed(exec, `did not end within ${Math.round(deadlineMs / 100) / 10} s`, stderr);
    if (code !== 0) {
      const end = typeof code === "number" ? `ended with exit code ${code}` : `was ended by ${code}`;
      throw failed(exec, end, stderr);
    }
    return stdout;
  } catch (error) {
    if (error instanceof UserError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") throw failed(exec, "is not there");
    if (code === "EACCES") throw failed(exec, "may not be run (is it executable?)");
    throw failed(exec, `cannot be started: ${code ?? "unknown error"}`);
  } finally {
    clearTimeout(timer);
    process.removeListener("exit", kill);
  }
}

function credentialsIn(exec: Fields, output: string): PluginCredentials {
  // No part of the output is shown: it may be a credential.
  const said = (what: string) => failed(exec, `gave ${what}`);
  let value: unknown;
  try {
    value = JSON.parse(output);
  } catch {
    throw said(output.trim() === "" ? "no answer" : "an answer that is no JSON");
  }
  const document = (typeof value === "object" && value !== null ? value : {}) as Fields;
  if (document.kind !== "ExecCredential" || document.apiVersion !== exec.apiVersion) {
    const version = typeof document.apiVersion === "string" ? document.apiVersion.slice(0, 60) : "none";
    throw said(
      `an answer that is no ExecCredential of ${String(exec.apiVersion)} (its apiVersion: ${version}, its kind: ${typeof document.kind === "string" ? document.kind.slice(0, 60) : "none"})`,
    );
  }
  const status = document.status as Fields | null | undefined;
  if (typeof status !== "object" || status === null) throw said("no status");
  const [token, cert, key] = ["token", "clientCertificateData", "clientKeyData"].map((name) =>
    textOf(status, name),
  );
  if (!token && !cert && !key) throw said("neither a token nor a certificate");
  if (!cert !== !key) throw said("a certificate or a key, but not both");
  const expiry = status.expirationTimestamp;
  const expiresAt = typeof expiry === "string" ? Date.parse(expiry) : undefined;
  if (expiresAt !== undefined && Number.isNaN(expiresAt))
    throw said("an expirationTimestamp that is no time");
  return {
    token: token || undefined,
    certificate: cert && key ? { cert, key } : undefined,
    expiresAt,
  };
}

function failed(exec: Fields, what: string, stderr = ""): UserError {
  const said = stderr.trim();
  const hint = printableText(textOf(exec, "installHint")).trim();
  return new UserError({
    code: "credential-plugin-failed",
    message: `The kubeconfig's credential plug-in ${textOf(exec, "command")} ${what}${said === "" ? "." : `: ${printableText(said)}`}`,
    hint:
      hint === ""
        ? "Run the same command with kubectl, or log in as your cloud's tool says, and try again."
        : hint,
  });
}

/** A hint comes out of a file: it must not move the terminal's cursor. */
function printableText(text: string): string {
  return text.replaceAll(/[^\P{C}\n\t]/gu, "�");
}
