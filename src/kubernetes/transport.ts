import { Agent, type Dispatcher, ProxyAgent, Socks5ProxyAgent } from "undici";
import type { TlsMaterial } from "./credentials.ts";

/** Connections to one API server, straight or through a proxy; kept while the material that they are made with is the same. */
export class Transport {
  /** Of the proxy, without credentials; `undefined`: there is none. */
  readonly proxyName: string | undefined;
  readonly #proxy: string | undefined;
  #current: { readonly key: string; readonly dispatcher: Dispatcher } | undefined;

  constructor(proxy: string | undefined) {
    this.#proxy = proxy;
    this.proxyName = proxy === undefined ? undefined : nameOf(proxy);
  }

  dispatcher(tls: TlsMaterial): Dispatcher {
    const key = JSON.stringify(tls);
    if (this.#current?.key === key) return this.#current.dispatcher;
    const former = this.#current;
    const dispatcher = dispatcherFor(this.#proxy, tls);
    this.#current = { key, dispatcher };
    // Answers that are still coming, such as watches, come to their end.
    if (former !== undefined) void former.dispatcher.close();
    return dispatcher;
  }
}

function dispatcherFor(proxy: string | undefined, { ca, ...rest }: TlsMaterial): Dispatcher {
  // Half of a load balancer's usual idle time.
  const connect = {
    ...rest,
    ...(ca === undefined ? {} : { ca: typeof ca === "string" ? ca : [...ca] }),
    keepAlive: true,
    keepAliveInitialDelay: 30_000,
  };
  if (proxy === undefined) return new Agent({ connect });
  if (/^socks5h?:/i.test(proxy)) {
    return new Socks5ProxyAgent(proxy.replace(/^socks5h:/i, "socks5:"), { requestTls: connect });
  }
  return new ProxyAgent({ uri: proxy, requestTls: connect });
}

function nameOf(proxy: string): string {
  if (!URL.canParse(proxy)) return "that is named";
  const { protocol, host } = new URL(proxy);
  return `${protocol}//${host}`;
}
