import { createServer } from "node:net";
import { UserError } from "../../../../src/support.ts";

/**
 * A port that nothing listens on: the preferred one, or the next free one after it.
 * @throws UserError `no-free-port`
 */
export async function findFreePort(
  address: string,
  preferred: number,
  taken: ReadonlySet<number> = new Set(),
): Promise<number> {
  const last = Math.min(preferred + 500, 65_535);
  for (let port = preferred; port <= last; port++) {
    if (!taken.has(port) && (await isFree(address, port))) return port;
  }
  throw new UserError({
    code: "no-free-port",
    message: `All ports from ${preferred} to ${last} of ${address} are in use.`,
  });
}

function isFree(address: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    // An address that is not there yet has all its ports free.
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EADDRNOTAVAIL"));
    server.listen({ host: address, port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
