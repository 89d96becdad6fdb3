/**
 * Addresses of a cluster. Each cluster has one /20 block of its own: x.0/21 services, which is enough for a thousand models of two each;
 * x.8/24 pods, x.9.0/30 the link between host and node.
 */
export interface ClusterAddresses {
  /** The whole block. */
  readonly block: string;
  readonly serviceRange: string;
  /** Address of the `kubernetes` Service: the first of the range. */
  readonly apiService: string;
  /** Address that a cluster DNS would have: the tenth of the range. */
  readonly dnsService: string;
  readonly podRange: string;
  /** The host's end of the link: the API server listens there. */
  readonly host: string;
  /** The node's end of the link: the node's internal IP. */
  readonly node: string;
  readonly linkPrefix: number;
}

interface Range {
  readonly first: number;
  readonly last: number;
}

/** Private ranges that few networks use; blocks are taken from their start. */
const pools = ["10.199.0.0/16", "172.28.0.0/14", "100.100.0.0/16", "192.168.192.0/18"];
const blockSize = 4096;
const serviceSize = 2048;

/**
 * The first block that overlaps nothing in `taken`: the host's routes and addresses, and the blocks of other clusters,
 * as addresses or CIDR ranges. `undefined` when all pools are full.
 */
export function chooseAddresses(taken: readonly string[]): ClusterAddresses | undefined {
  const ranges = taken.map(parseRange).filter((range) => range !== undefined);
  for (const pool of pools) {
    const range = parseRange(pool);
    if (range === undefined) continue;
    for (let first = range.first; first < range.last; first += blockSize) {
      const last = first + blockSize - 1;
      if (ranges.every((other) => other.last < first || other.first > last)) return addressesOf(first);
    }
  }
  return undefined;
}

function addressesOf(first: number): ClusterAddresses {
  return {
    block: `${formatAddress(first)}/20`,
    serviceRange: `${formatAddress(first)}/21`,
    apiService: formatAddress(first + 1),
    dnsService: formatAddress(first + 10),
    podRange: `${formatAddress(first + serviceSize)}/24`,
    host: formatAddress(first + serviceSize + 257),
    node: formatAddress(first + serviceSize + 258),
    linkPrefix: 30,
  };
}

/** Parses `a.b.c.d` or `a.b.c.d/n`; `undefined` for anything else, such as IPv6. */
export function parseRange(text: string): Range | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text);
  if (match === null) return undefined;
  const octets = match.slice(1, 5).map(Number);
  const prefix = match[5] === undefined ? 32 : Number(match[5]);
  if (octets.some((octet) => octet > 255) || prefix > 32) return undefined;
  const address = octets.reduce((sum, octet) => sum * 256 + octet, 0);
  const size = 2 ** (32 - prefix);
  const first = Math.floor(address / size) * size;
  return { first, last: first + size - 1 };
}

function formatAddress(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** One entry of `ip -json route show table all`. */
export interface HostRoute {
  readonly dst?: string;
  readonly type?: string;
}

/** What the host's routes take; the default route takes everything and therefore nothing. */
export function takenByRoutes(routes: readonly HostRoute[]): string[] {
  return routes
    .map((route) => route.dst)
    .filter((dst) => dst !== undefined)
    .filter((dst) => dst !== "default" && dst !== "0.0.0.0/0");
}

/**
 * Names of the two ends of the link. The kernel allows 15 characters, so long names are cut and told apart by a
 * check sum of the whole name and the state folder (two users may each have a cluster `default`).
 */
export function linkNames(clusterFolder: string): { readonly host: string; readonly node: string } {
  const sum = checkSum(clusterFolder);
  return { host: `msw-${sum}`, node: `msn-${sum}` };
}

/** FNV-1a, 32 bits, as eight hexadecimal digits. */
export function checkSum(text: string): string {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) {
    hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, "0");
}
