import { BlockList, isIP, isIPv4 } from "node:net";

type Env = Readonly<Record<string, string | undefined>>;

/**
 * The proxy that the environment names for an address, by the rules of Go (and so of kubectl): HTTPS_PROXY or https_proxy for
 * https, HTTP_PROXY or http_proxy for http, the upper case first; NO_PROXY or no_proxy with names, `.domain`, `*.domain`,
 * addresses, address ranges, each with a port where wanted, or `*`. Loopback never has a proxy. `undefined`: none.
 */
export function environmentProxy(address: URL, env: Env): string | undefined {
  const names =
    address.protocol === "https:"
      ? (["HTTPS_PROXY", "https_proxy"] as const)
      : (["HTTP_PROXY", "http_proxy"] as const);
  const proxy = firstOf(env, names);
  if (proxy === undefined) return undefined;
  const host = address.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = address.port || (address.protocol === "https:" ? "443" : "80");
  if (isLoopback(host)) return undefined;
  const exceptions = (firstOf(env, ["NO_PROXY", "no_proxy"]) ?? "").split(",");
  if (exceptions.some((exception) => covers(exception.trim().toLowerCase(), host, port))) return undefined;
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(proxy) ? proxy : `http://${proxy}`;
}

function firstOf(env: Env, names: readonly string[]): string | undefined {
  return names.map((name) => env[name]).find((value) => value !== undefined && value !== "");
}

/** Whether an address can only mean this machine. */
export function isLoopback(host: string): boolean {
  if (host === "localhost") return true;
  if (isIP(host) === 0) return false;
  return contains("127.0.0.0/8", host) || contains("::1/128", host);
}

function covers(exception: string, host: string, port: string): boolean {
  if (exception === "") return false;
  if (exception === "*") return true;
  if (exception.includes("/")) return isIP(host) !== 0 && contains(exception, host);
  const { name, wantedPort } = withPort(exception);
  if (name === "" || (wantedPort !== undefined && wantedPort !== port)) return false;
  if (isIP(name) !== 0) return isIP(host) !== 0 && contains(`${name}/${isIPv4(name) ? 32 : 128}`, host);
  if (isIP(host) !== 0) return false;
  const domain = name.replace(/^\*(?=\.)/, "");
  return domain.startsWith(".") ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}

/** `host`, `host:port`, `::1`, `[::1]:port`. */
function withPort(text: string): { readonly name: string; readonly wantedPort: string | undefined } {
  const bracketed = /^\[(.*)\](?::(\d+))?$/.exec(text);
  if (bracketed !== null) return { name: bracketed[1] ?? "", wantedPort: bracketed[2] };
  const parts = text.split(":");
  return parts.length === 2
    ? { name: parts[0] ?? "", wantedPort: parts[1] }
    : { name: text, wantedPort: undefined };
}

function contains(range: string, host: string): boolean {
  const [network = "", length = ""] = range.split("/");
  const family = isIP(network);
  if (family === 0 || !/^\d+$/.test(length) || Number(length) > (family === 4 ? 32 : 128)) return false;
  const list = new BlockList();
  list.addSubnet(network, Number(length), family === 4 ? "ipv4" : "ipv6");
  // The list knows IPv4 addresses that are written as IPv6.
  return list.check(host, isIP(host) === 4 ? "ipv4" : "ipv6");
}
