import { type ChosenCluster, textOf } from "./choose.ts";
import type { Fields } from "./parse.ts";

/** What kubectl refuses in a cluster or a user, in words; `undefined` where both can be used. `canRead`: whether a file can be opened. */
export function whyUnusable(
  { clusterName, cluster, userName, user }: ChosenCluster,
  canRead: (path: string) => boolean,
): string | undefined {
  return clusterProblem(clusterName, cluster, canRead) ?? userProblem(userName, user, canRead);
}

function clusterProblem(
  name: string,
  cluster: Fields,
  canRead: (path: string) => boolean,
): string | undefined {
  const of = `of the cluster "${name}"`;
  const ca = textOf(cluster, "certificate-authority");
  const hasCa = ca !== "" || textOf(cluster, "certificate-authority-data") !== "";
  const server = textOf(cluster, "server");
  if (!/^https?:\/\//i.test(server) && /^[a-z][a-z0-9+.-]*:\/\//i.test(server)) {
    return `the server ${of} is neither an http:// nor an https:// address`;
  }
  if (!URL.canParse(withScheme(server))) return `the server ${of} is no address`;
  const proxy = textOf(cluster, "proxy-url");
  if (proxy !== "") {
    const scheme = URL.canParse(proxy) ? new URL(proxy).protocol.replace(":", "") : "";
    if (!["http", "https", "socks5"].includes(scheme)) {
      return `the proxy-url ${of} must begin with http://, https:// or socks5://`;
    }
  }
  if (ca !== "" && textOf(cluster, "certificate-authority-data") !== "") {
    return `certificate-authority and certificate-authority-data ${of} exclude each other`;
  }
  if (hasCa && cluster["insecure-skip-tls-verify"] === true) {
    return `insecure-skip-tls-verify and a certificate authority ${of} exclude each other`;
  }
  if (ca !== "" && !canRead(ca)) return `the certificate-authority ${ca} ${of} cannot be read`;
  return undefined;
}

function userProblem(name: string, user: Fields, canRead: (path: string) => boolean): string | undefined {
  const of = `of the user "${name}"`;
  const has = (field: string) => textOf(user, field) !== "";
  if (has("token") && (has("username") || has("password"))) {
    return `token and username/password ${of} exclude each other`;
  }
  if (has("client-certificate") || has("client-certificate-data")) {
    for (const field of ["client-certificate", "client-key"]) {
      if (has(field) && has(`${field}-data`)) return `${field} and ${field}-data ${of} exclude each other`;
    }
    if (!has("client-key") && !has("client-key-data"))
      return `the client certificate ${of} has no client-key`;
    for (const field of ["client-certificate", "client-key"]) {
      if (has(field) && !canRead(textOf(user, field))) {
        return `the ${field} ${textOf(user, field)} ${of} cannot be read`;
      }
    }
  }
  if (!has("token") && has("tokenFile") && !canRead(textOf(user, "tokenFile"))) {
    return `the tokenFile ${textOf(user, "tokenFile")} ${of} cannot be read`;
  }
  const isImpersonating = ["as-uid", "as-groups", "as-user-extra"].some((field) => !isEmpty(user[field]));
  if (isImpersonating && !has("as")) return `as-uid, as-groups or as-user-extra ${of} need "as"`;
  return execProblem(of, user);
}

function execProblem(of: string, user: Fields): string | undefined {
  const exec = user.exec as Fields | null | undefined;
  if (exec === undefined || exec === null) return undefined;
  if (!isEmpty(user["auth-provider"])) return `exec and auth-provider ${of} exclude each other`;
  if (textOf(exec, "command") === "") return `the exec plug-in ${of} has no command`;
  const version = textOf(exec, "apiVersion");
  if (!/^client\.authentication\.k8s\.io\/(v1|v1beta1)$/.test(version)) {
    return `the exec plug-in ${of} asks for apiVersion ${JSON.stringify(version)}, but only client.authentication.k8s.io/v1 and v1beta1 exist any more (write the kubeconfig anew with your cloud's own command)`;
  }
  const mode = textOf(exec, "interactiveMode");
  if (mode === "" && version.endsWith("/v1")) return `the exec plug-in ${of} has no interactiveMode`;
  if (!["", "Never", "IfAvailable", "Always"].includes(mode)) {
    return `the exec plug-in ${of} has the interactiveMode "${mode}", which is none of Never, IfAvailable, Always`;
  }
  return undefined;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** An address without a scheme is spoken to in plain HTTP, as kubectl does. */
export function withScheme(server: string): string {
  return /^https?:\/\//i.test(server) ? server : `http://${server}`;
}
