import { createSocket } from "node:dgram";
import { isIPv6 } from "node:net";
import type { EventSink } from "../../core/events.ts";

/** Whether this machine has a way to an address. */
export interface Routes {
  leads(address: string): Promise<boolean>;
  /** Says, once for each, that an address is not asked. */
  leaveOut(address: string): void;
}

/** The machine's own routes. */
export function machineRoutes(events: EventSink): Routes {
  const said = new Set<string>();
  return {
    leads: hasRoute,
    leaveOut: (address) => {
      if (said.has(address)) return;
      said.add(address);
      events({
        type: "warning",
        code: "ingress-without-route",
        message: `The ingress is also at ${address}, to which this machine has no route (no ${isIPv6(address) ? "IPv6" : "IPv4"} here?): that address is not looked at.`,
        hint: "What clients get there is not proved. Run where there is a route, or list the addresses to ask in ingress.endpoints.",
      });
    },
  };
}

/** Connecting a datagram socket sends nothing: the system only looks for a route. */
function hasRoute(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
    const end = (found: boolean) => {
      resolve(found);
      socket.close();
    };
    socket.once("error", (error: NodeJS.ErrnoException) => end(!isWithoutRoute(error)));
    try {
      socket.connect(9, address, () => end(true));
    } catch (error) {
      end(!isWithoutRoute(error as NodeJS.ErrnoException));
    }
  });
}

function isWithoutRoute({ code }: NodeJS.ErrnoException): boolean {
  return ["ENETUNREACH", "EHOSTUNREACH", "EADDRNOTAVAIL", "EAFNOSUPPORT", "ENETDOWN"].includes(code ?? "");
}
