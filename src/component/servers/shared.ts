import type { IdentityProbe } from "../../core/identity.ts";
import type { ModelServer } from "../../core/model.ts";
import { invalid } from "./checks.ts";
import type { OptionTable } from "./option.ts";

/** What every preset takes. */
export interface CommonServerOptions {
  /** Seconds that loading the model may take before the liveness probe counts. @default 600 */
  readonly startupSeconds?: number;
  /** The longest that one inference request takes, a streamed answer to its end; shutdown waits for it. @default 30 */
  readonly longestRequestSeconds?: number;
  /** How an answer is recognised as blue's or green's. @default the preset's own, see its page */
  readonly identity?: IdentityProbe;
  /** More environment of every slot; wins over the preset's. @default none */
  readonly env?: Readonly<Record<string, string>>;
}

/** Their checks, texts and defaults. */
export const commonOptions = {
  startupSeconds: { is: "seconds", about: "Seconds that loading the model may take", default: 600 },
  longestRequestSeconds: {
    is: "seconds",
    about: "The longest that one request takes, a stream to its end",
    default: 30,
  },
  identity: { is: "identity" },
  env: { is: "environment" },
} as const satisfies OptionTable<CommonServerOptions>;

/** Of servers with several models: in a configuration it has the name of the model. */
export const modelNameOption = {
  is: "text",
  about: "Name of the model inside the server",
  otherwise: "the name of the model",
} as const;

/** Seconds until endpoint changes have reached every proxy and ingress controller. */
export const propagationSeconds = 5;

/**
 * Longer than ingress controllers keep an idle connection to a pod by default: ingress-nginx 60 s
 * (`upstream-keepalive-timeout`), Traefik 90 s (`idleConnTimeout`).
 */
export const keepAliveAboveIngress = 120;

/**
 * How a pod ends without losing a request: it serves on while it is forgotten everywhere, and then for as long as the server would not
 * let requests in progress finish by itself.
 */
export function shutdownTimes(times: {
  readonly longestRequestSeconds: number;
  /** Seconds after SIGTERM in which the server lets requests in progress finish; 0: it drops them. */
  readonly finishesForSeconds: number;
  /** Seconds that the server may need to end after that. */
  readonly endsWithinSeconds: number;
}): { readonly preStopSleepSeconds: number; readonly terminationGracePeriodSeconds: number } {
  const sleep = propagationSeconds + Math.max(0, times.longestRequestSeconds - times.finishesForSeconds);
  return {
    preStopSleepSeconds: sleep,
    terminationGracePeriodSeconds: sleep + times.finishesForSeconds + times.endsWithinSeconds,
  };
}

/** The three probes of a server; without a liveness path nothing ever restarts it, so nothing has to be held back either. */
export function healthProbes(
  readiness: string,
  liveness: string | undefined,
  startupSeconds: number = commonOptions.startupSeconds.default,
): Pick<ModelServer, "readiness" | "liveness" | "startup"> {
  const startupPeriod = 5;
  return {
    readiness: { path: readiness, periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 },
    liveness:
      liveness === undefined
        ? undefined
        : { path: liveness, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
    // Fails only after `startupSeconds`.
    startup:
      liveness === undefined
        ? undefined
        : {
            path: liveness,
            periodSeconds: startupPeriod,
            timeoutSeconds: 5,
            failureThreshold: Math.max(1, Math.ceil(startupSeconds / startupPeriod)),
          },
  };
}

/** The first version in the model's metadata, which servers of the Open Inference protocol tell over HTTP and gRPC alike. */
export function openInferenceIdentity(model: string): IdentityProbe {
  return {
    path: `/v2/models/${encodeURIComponent(model)}`,
    from: { kind: "json", path: "versions.0" },
    grpc: {
      method: "inference.GRPCInferenceService/ModelMetadata",
      request: { "1": model },
      from: { kind: "field", path: "2" },
    },
  };
}

/** @throws UserError `server-invalid` where the name is missing */
export function requiredName(server: string, field: string, value: unknown, expected: string): string {
  if (typeof value !== "string" || value.trim() === "") throw invalid(server, field, value, expected);
  return value;
}

/** @throws UserError `server-invalid` where it is no whole number of seconds */
export function wholeSeconds(server: string, field: string, value: number): number {
  if (!Number.isInteger(value) || value < 0) {
    throw invalid(server, field, value, "a whole number of seconds, 0 or more");
  }
  return value;
}
