import type { LeaseObject } from "./lease.ts";

/**
 * What others may ask of the command that holds the lock: to show that it lives, to look at the record now since there is something
 * for it, or to end what it does and go back.
 */
export const leaseRequestKinds = ["hello", "look", "abort"] as const;

/** What somebody asks of the command that holds the lock, left in its Lease. */
export interface LeaseRequest {
  /** Random. */
  readonly id: string;
  readonly kind: (typeof leaseRequestKinds)[number];
  /** Token of the holding that it is for: whoever comes next was not asked. */
  readonly to: string;
  /** `user@host`. */
  readonly by: string;
  /** ISO 8601, by the clock of whoever asks; for people. */
  readonly at: string;
}

/** Where requests to the holder are left. */
export const requestsAnnotation = "modelswitch.dev/requests";

/** More are not kept: the oldest go. */
const keptRequests = 20;

/** The requests in a Lease; what cannot be read is none. Pure. */
export function requestsIn(lease: LeaseObject | undefined): readonly LeaseRequest[] {
  try {
    const found: unknown = JSON.parse(lease?.metadata?.annotations?.[requestsAnnotation] ?? "[]");
    return Array.isArray(found) ? found.filter(isRequest) : [];
  } catch {
    return [];
  }
}

/** The annotations of a Lease with these requests in it. Pure. */
export function withRequests(
  lease: LeaseObject | undefined,
  requests: readonly LeaseRequest[],
): Readonly<Record<string, string>> {
  const { [requestsAnnotation]: _before, ...others } = lease?.metadata?.annotations ?? {};
  if (requests.length === 0) return others;
  return { ...others, [requestsAnnotation]: JSON.stringify(requests.slice(-keptRequests)) };
}

function isRequest(value: unknown): value is LeaseRequest {
  if (typeof value !== "object" || value === null) return false;
  const { id, kind, to, by, at } = value as Partial<Record<keyof LeaseRequest, unknown>>;
  return (
    [id, to, by, at].every((field) => typeof field === "string") &&
    leaseRequestKinds.some((known) => known === kind)
  );
}
