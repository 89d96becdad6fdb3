import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import type { Front } from "../../component/routers/router.ts";
import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import { ingressEndpointAnnotation } from "../../core/local-cluster.ts";
import { type KubernetesApi, KubernetesApiError } from "../../kubernetes/api.ts";
import type { Routes } from "./routes.ts";

/** One place where the ingress is reached. */
export interface Endpoint {
  readonly protocol: "http" | "https";
  /** An IP address. */
  readonly address: string;
  readonly port: number;
  /** For messages, for example `http://127.0.0.1:8080`. */
  readonly url: string;
}

/** Resolves a host name to all its addresses. */
export type Lookup = (hostname: string) => Promise<readonly Pick<LookupAddress, "address">[]>;

export interface EndpointsInput {
  readonly api: KubernetesApi;
  /** From the configuration: these win. */
  readonly configured: readonly string[];
  readonly ingress: Front | undefined;
  /** Host of the model: whether TLS is configured for it decides between port 80 and 443. */
  readonly host: string;
  readonly lookup: Lookup;
  /** @default every address can be asked */
  readonly routes?: Routes | undefined;
  readonly signal: AbortSignal;
}

/**
 * Every address at which the ingress can be asked: the configured endpoints, else what the IngressClass says, else the addresses
 * in the status of the Ingress.
 * @throws UserError `ingress-without-address`, `ingress-unresolved`
 */
export async function ingressEndpoints(input: EndpointsInput): Promise<readonly Endpoint[]> {
  const configured = input.ingress?.known ?? input.configured;
  if (configured.length > 0) {
    const endpoints = unique(await resolveUrls(configured, input.lookup));
    // An address that is written down is asked, route or none; one that a name has besides others need not be.
    return await reachable(endpoints, input.routes, (address) => !isWritten(configured, address));
  }
  const className = input.ingress?.className;
  const annotated = className === undefined ? undefined : await annotatedEndpoint(input, className);
  if (annotated !== undefined) {
    return await reachable(unique(await resolveUrls(annotated, input.lookup)), input.routes);
  }

  const addresses = input.ingress?.addresses ?? [];
  if (addresses.length === 0) {
    throw new UserError({
      code: "ingress-without-address",
      message: `The Ingress ${input.ingress?.name ?? ""} has no address in its status, so it is not known where clients reach it${
        className === undefined ? "" : ` (class ${className})`
      }.`,
      hint: 'Check that an ingress controller for this class runs, or say where it listens: ingress.endpoints: ["http://ADDRESS:PORT"] in the config file.',
    });
  }
  const tls = (input.ingress?.tlsHosts ?? []).some((pattern) => coversHost(pattern, input.host));
  const protocol = tls ? "https" : "http";
  const port = input.ingress?.port === undefined ? "" : `:${input.ingress.port}`;
  const endpoints = await resolveUrls(
    addresses.map((address) => `${protocol}://${bracketed(address)}${port}`),
    input.lookup,
  );
  return await reachable(unique(endpoints), input.routes);
}

/** Of two families of addresses a machine may know the way to one only. Where it knows none, all are kept: asking will say why. */
async function reachable(
  endpoints: readonly Endpoint[],
  routes: Routes | undefined,
  mayLeaveOut: (address: string) => boolean = () => true,
): Promise<readonly Endpoint[]> {
  if (routes === undefined || endpoints.length < 2) return endpoints;
  const leads = await Promise.all(
    endpoints.map(async ({ address }) => !mayLeaveOut(address) || (await routes.leads(address))),
  );
  if (!leads.includes(true)) return endpoints;
  return endpoints.filter(({ address }, index) => {
    if (leads[index] === true) return true;
    routes.leaveOut(address);
    return false;
  });
}

function isWritten(urls: readonly string[], address: string): boolean {
  return urls.some((url) => URL.canParse(url) && new URL(url).hostname === bracketed(address));
}

async function annotatedEndpoint(input: EndpointsInput, className: string): Promise<string[] | undefined> {
  try {
    const found = await input.api.find(`/apis/networking.k8s.io/v1/ingressclasses/${className}`, {
      signal: input.signal,
    });
    const value = found?.metadata?.annotations?.[ingressEndpointAnnotation];
    return value?.split(",").map((url) => url.trim());
  } catch (error) {
    // IngressClasses are cluster-wide: people with rights in their namespace only do without.
    if (error instanceof KubernetesApiError && (error.status === 403 || error.status === 401))
      return undefined;
    throw error;
  }
}

async function resolveUrls(urls: readonly string[], lookup: Lookup): Promise<Endpoint[]> {
  const lists = await Promise.all(
    urls.map(async (text) => {
      const url = parsed(text);
      const protocol = url.protocol === "https:" ? "https" : "http";
      const port = url.port === "" ? (protocol === "https" ? 443 : 80) : Number(url.port);
      const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
      const addresses = await resolve(hostname, lookup);
      return addresses.map(
        (address) =>
          ({
            protocol,
            address,
            port,
            url: `${protocol}://${bracketed(address)}:${port}`,
          }) satisfies Endpoint,
      );
    }),
  );
  return lists.flat();
}

/** Every address of one URL. */
export async function resolveAddress(url: string, lookup: Lookup): Promise<readonly Endpoint[]> {
  return await resolveUrls([url], lookup);
}

function parsed(text: string): URL {
  if (URL.canParse(text)) return new URL(text);
  throw new UserError({
    code: "ingress-unresolved",
    message: `The ingress is said to be at "${text}", which is no URL.`,
    hint: `Correct ingress.endpoints in the config file, or the annotation ${ingressEndpointAnnotation} of the IngressClass; for example http://ADDRESS:PORT.`,
    exitCode: exitCodes.usage,
  });
}

async function resolve(hostname: string, lookup: Lookup): Promise<string[]> {
  if (isIP(hostname) !== 0) return [hostname];
  // Controllers on this machine seldom listen on both families, and nobody else is asked by this name.
  if (hostname === "localhost") return ["127.0.0.1"];
  try {
    return (await lookup(hostname)).map(({ address }) => address);
  } catch (error) {
    throw new UserError({
      code: "ingress-unresolved",
      message: `The ingress is at ${hostname}, which this machine cannot resolve: ${messageOf(error)}.`,
      hint: 'Check the name service of this machine, or say where the ingress listens: ingress.endpoints: ["http://ADDRESS:PORT"] in the config file.',
      exitCode: exitCodes.failed,
      cause: error,
    });
  }
}

function bracketed(address: string): string {
  return isIP(address) === 6 ? `[${address}]` : address;
}

function coversHost(pattern: string, host: string): boolean {
  if (pattern === "*" || pattern === host) return true;
  return pattern.startsWith("*.") && host.split(".").slice(1).join(".") === pattern.slice(2);
}

function unique(endpoints: readonly Endpoint[]): Endpoint[] {
  return [...new Map(endpoints.map((endpoint) => [endpoint.url, endpoint])).values()];
}
