import type { IdentityProbe } from "../../core/identity.ts";
import type { ModelServer } from "../../core/model.ts";
import { checkedServer, invalid } from "./checks.ts";

/** What `mlserver` takes. */
export interface MlserverOptions {
  /** Name of the model inside MLServer (`name` in its model-settings.json): `/v2/models/NAME`. */
  readonly modelName: string;
  /** @default 8080 */
  readonly httpPort?: number;
  /** @default 8081 */
  readonly grpcPort?: number;
  /** @default 8082 */
  readonly metricsPort?: number;
  /** Inference worker processes; 0 runs inference in the server's own process. @default MLServer's own, 1 */
  readonly parallelWorkers?: number;
  /** Seconds that loading the model may take. @default 600 */
  readonly startupSeconds?: number;
  /** The longest that one inference request takes; a terminating pod serves on for it. @default 30 */
  readonly longestRequestSeconds?: number;
  /** @default `versions.0` of `GET /v2/models/NAME` */
  readonly identity?: IdentityProbe;
  /** More environment of every slot, for example `{ MLSERVER_PARALLEL_WORKERS_TIMEOUT: "30" }`. @default none */
  readonly env?: Readonly<Record<string, string>>;
}

/** uvicorn's `timeout_keep_alive`, which MLServer does not change. */
const uvicornKeepAliveSeconds = 5;

/** Seconds until endpoint changes have reached every proxy and ingress controller. */
const propagationSeconds = 5;

/**
 * [MLServer](https://mlserver.readthedocs.io) 1.x with the Open Inference Protocol.
 *
 * On SIGTERM MLServer closes its inference workers before its HTTP server, so requests in progress are lost.
 * The preset therefore sleeps before SIGTERM for as long as the longest request may take.
 * @throws UserError `server-invalid`
 */
export function mlserver(options: MlserverOptions): ModelServer {
  if (typeof options.modelName !== "string" || options.modelName.trim() === "") {
    throw invalid(
      "mlserver",
      "modelName",
      options.modelName,
      'the name of the model as in its model-settings.json, for example mlserver({ modelName: "fraud" })',
    );
  }
  const httpPort = options.httpPort ?? 8080;
  const grpcPort = options.grpcPort ?? 8081;
  const metricsPort = options.metricsPort ?? 8082;
  const longestRequestSeconds = options.longestRequestSeconds ?? 30;
  const preStopSleepSeconds = propagationSeconds + longestRequestSeconds;
  const startupSeconds = options.startupSeconds ?? 600;
  const workers = options.parallelWorkers;
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 0)) {
    throw invalid("mlserver", "parallelWorkers", workers, "a whole number, 0 or more");
  }
  return checkedServer(
    {
      name: "mlserver",
      httpPort,
      otherPorts: { grpc: grpcPort, metrics: metricsPort },
      readiness: { path: "/v2/health/ready", periodSeconds: 2, timeoutSeconds: 2, failureThreshold: 2 },
      liveness: { path: "/v2/health/live", periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 3 },
      startup: {
        path: "/v2/health/live",
        periodSeconds: 5,
        timeoutSeconds: 5,
        failureThreshold: Math.max(1, Math.ceil(startupSeconds / 5)),
      },
      preStopSleepSeconds,
      // After SIGTERM: 5 s for each worker to end (parallel_workers_timeout), 5 s for gRPC, some for the rest.
      terminationGracePeriodSeconds: preStopSleepSeconds + 5 * Math.max(1, workers ?? 1) + 10,
      env: {
        MLSERVER_HTTP_PORT: String(httpPort),
        MLSERVER_GRPC_PORT: String(grpcPort),
        MLSERVER_METRICS_PORT: String(metricsPort),
        ...(workers === undefined ? {} : { MLSERVER_PARALLEL_WORKERS: String(workers) }),
        ...options.env,
      },
      keepAliveSeconds: uvicornKeepAliveSeconds,
      identity: options.identity ?? {
        path: `/v2/models/${encodeURIComponent(options.modelName)}`,
        from: { kind: "json", path: "versions.0" },
      },
    },
    longestRequestSeconds,
  );
}
