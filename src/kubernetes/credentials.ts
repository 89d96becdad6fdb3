import { readFileSync } from "node:fs";
import type { RequestOptions } from "node:https";
import { getCACertificates } from "node:tls";
import type { Clock } from "../core/clock.ts";
import { exitCodes, isNotInstalled, UserError } from "../core/errors.ts";
import { type ExecPlugin, execPluginOf, type PluginCredentials } from "./exec-plugin.ts";
import { type ChosenCluster, textOf } from "./kubeconfig/choose.ts";
import type { Fields } from "./kubeconfig/parse.ts";

/** What a connection to the API server is made with. */
export interface TlsMaterial {
  readonly ca?: string | readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized?: false;
}

export interface RequestCredentials {
  readonly headers: Readonly<Record<string, string | string[]>>;
  readonly tls: TlsMaterial;
  /** Of a plug-in, which can be asked for others. */
  readonly refused?: () => void;
}

/** Files with credentials are written anew by who issues them; they are read again after this time, as kubectl does. */
const filesAreFreshMs = 10_000;

/** Who a user of a kubeconfig is towards the API server, at each request. */
export class ClusterCredentials {
  readonly #chosen: ChosenCluster;
  readonly #clock: Pick<Clock, "now">;
  readonly #plugin: ExecPlugin | undefined;
  #authProvider: Promise<AuthProvider> | undefined;
  readonly #files = new Map<string, { readonly text: string; readonly readAt: number }>();

  constructor(chosen: ChosenCluster, clock: Pick<Clock, "now">) {
    this.#chosen = chosen;
    this.#clock = clock;
    this.#plugin = hasOwn(chosen.user) ? undefined : execPluginOf(chosen);
  }

  async forRequest(): Promise<RequestCredentials> {
    const { user, cluster } = this.#chosen;
    // As kubectl: nobody on the way is to read credentials.
    if (!/^https:/i.test(textOf(cluster, "server"))) return { headers: impersonation(user), tls: {} };
    const given = await this.#plugin?.credentials();
    this.#authProvider ??= authProviderOf(this.#chosen);
    const provided = given === undefined ? await (await this.#authProvider)() : {};
    const token = given?.token ?? this.#token();
    const [name, password] = [textOf(user, "username"), textOf(user, "password")];
    const basic = Buffer.from(`${name}:${password}`).toString("base64");
    return {
      headers: {
        ...provided,
        ...(name === "" && password === "" ? {} : { authorization: `Basic ${basic}` }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...impersonation(user),
      },
      tls: this.#tls(given),
      ...(given === undefined ? {} : { refused: () => this.#plugin?.refused(given) }),
    };
  }

  #token(): string | undefined {
    const { user } = this.#chosen;
    const file = textOf(user, "tokenFile");
    const fixed = textOf(user, "token") || undefined;
    if (file === "") return fixed;
    try {
      return this.#read(file).trim() || fixed;
    } catch (error) {
      if (fixed !== undefined) return fixed;
      throw error;
    }
  }

  #tls(given: PluginCredentials | undefined): TlsMaterial {
    const { cluster, user } = this.#chosen;
    const ca = this.#material(cluster, "certificate-authority");
    const cert = given?.certificate?.cert ?? this.#material(user, "client-certificate");
    const key = given?.certificate?.key ?? this.#material(user, "client-key");
    const servername = textOf(cluster, "tls-server-name");
    const isInsecure = cluster["insecure-skip-tls-verify"] === true;
    return {
      ...(isInsecure ? { rejectUnauthorized: false } : { ca: ca ?? trustedHere() }),
      ...(cert === undefined || key === undefined ? {} : { cert, key }),
      ...(servername === "" ? {} : { servername }),
    };
  }

  /** `NAME-data` in base64, or the file that `NAME` is. */
  #material(fields: Fields, name: string): string | undefined {
    const data = textOf(fields, `${name}-data`);
    if (data !== "") return Buffer.from(data, "base64").toString("utf8");
    const file = textOf(fields, name);
    return file === "" ? undefined : this.#read(file);
  }

  #read(file: string): string {
    const known = this.#files.get(file);
    const now = this.#clock.now();
    if (known !== undefined && now - known.readAt < filesAreFreshMs) return known.text;
    try {
      const text = readFileSync(file, "utf8");
      this.#files.set(file, { text, readAt: now });
      return text;
    } catch (error) {
      // It may just be written anew.
      if (known !== undefined) return known.text;
      throw error;
    }
  }
}

/** As for kubectl, what stands in the kubeconfig comes before a plug-in. */
function hasOwn(user: Fields): boolean {
  return ["token", "tokenFile", "username", "password", "client-certificate", "client-certificate-data"].some(
    (name) => textOf(user, name) !== "",
  );
}

/** Without an authority in the kubeconfig: those of Node.js and of the system, where companies put theirs. */
function trustedHere(): readonly string[] {
  systemAuthorities ??= [...new Set([...getCACertificates("default"), ...getCACertificates("system")])];
  return systemAuthorities;
}
let systemAuthorities: readonly string[] | undefined;

function impersonation(user: Fields): Record<string, string | string[]> {
  const as = textOf(user, "as");
  if (as === "") return {};
  const uid = textOf(user, "as-uid");
  const groups = Array.isArray(user["as-groups"]) ? user["as-groups"].map(String) : [];
  const extra = Object.entries((user["as-user-extra"] ?? {}) as Record<string, readonly unknown[]>);
  return {
    "impersonate-user": as,
    ...(uid === "" ? {} : { "impersonate-uid": uid }),
    ...(groups.length === 0 ? {} : { "impersonate-group": groups }),
    ...Object.fromEntries(
      extra.map(([key, values]) => [
        `impersonate-extra-${encodeURIComponent(key.toLowerCase())}`,
        values.map(String),
      ]),
    ),
  };
}

/** Users with a former `auth-provider` are few, and the package is a quarter of all that would be installed. */
async function kubernetesClient() {
  try {
    return await import("@kubernetes/client-node");
  } catch (error) {
    if (!isNotInstalled(error, "@kubernetes/client-node")) throw error;
    throw new UserError({
      code: "auth-provider-missing",
      message:
        "The kubeconfig's user logs in by an auth-provider, which the package @kubernetes/client-node knows, and that is not installed.",
      hint: "Install it beside modelswitch: `npm install @kubernetes/client-node@2`. Or let the user log in by an exec plug-in (`kubectl oidc-login`, `kubelogin`, `gke-gcloud-auth-plugin`), as kubectl does since 1.26.",
      exitCode: exitCodes.usage,
    });
  }
}

/** Asks for the headers of one request. */
type AuthProvider = () => Promise<Readonly<Record<string, string>>>;

/** OIDC and the clouds' former plug-ins: the Kubernetes client knows them, and takes half a second to load. */
async function authProviderOf({ user }: ChosenCluster): Promise<AuthProvider> {
  const provider = user["auth-provider"];
  if (provider === undefined || provider === null) return async () => ({});
  const { KubeConfig } = await kubernetesClient();
  const config = new KubeConfig();
  config.loadFromClusterAndUser(
    { name: "cluster", server: "https://localhost", skipTLSVerify: false },
    { name: "user", authProvider: provider },
  );
  return async () => {
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    return Object.fromEntries(
      Object.entries(options.headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]),
    );
  };
}
