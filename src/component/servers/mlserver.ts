import type { IdentityProbe } from "../../core/identity.ts";
import type { ModelServer } from "../../core/model.ts";
import { checkedServer, invalid, refuseUnknown } from "./checks.ts";
import type { OptionTable, Preset } from "./option.ts";
import {
  commonOptions,
  healthProbes,
  modelNameOption,
  openInferenceIdentity,
  requiredName,
  shutdownTimes,
} from "./shared.ts";

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
  /** @default `versions.0` of `GET /v2/models/NAME`, and of the same over gRPC */
  readonly identity?: IdentityProbe;
  /** More environment of every slot, for example `{ MLSERVER_PARALLEL_WORKERS_TIMEOUT: "30" }`. @default none */
  readonly env?: Readonly<Record<string, string>>;
}

/** uvicorn's `timeout_keep_alive`, which MLServer does not change. */
const uvicornKeepAliveSeconds = 5;

const own = {
  ...commonOptions,
  modelName: modelNameOption,
  httpPort: { is: "port", about: "What MLSERVER_HTTP_PORT says", default: 8080 },
  grpcPort: { is: "port", about: "What MLSERVER_GRPC_PORT says", default: 8081 },
  metricsPort: { is: "port", about: "What MLSERVER_METRICS_PORT says", default: 8082 },
  parallelWorkers: {
    is: "whole number",
    about: "Inference processes; 0 runs inference in the server's own",
    otherwise: "MLServer's own",
  },
} as const satisfies OptionTable<MlserverOptions>;

/**
 * [MLServer](https://mlserver.readthedocs.io) 1.x with the Open Inference Protocol.
 *
 * On SIGTERM MLServer closes its inference workers before its HTTP server, so requests in progress are lost.
 * The preset therefore sleeps before SIGTERM for as long as the longest request may take.
 * @throws UserError `server-invalid`
 */
export function mlserver(options: MlserverOptions): ModelServer {
  refuseUnknown("mlserver", options, own);
  const name = requiredName(
    "mlserver",
    "modelName",
    options.modelName,
    'the name of the model as in its model-settings.json, for example mlserver({ modelName: "fraud" })',
  );
  const httpPort = options.httpPort ?? own.httpPort.default;
  const grpcPort = options.grpcPort ?? own.grpcPort.default;
  const metricsPort = options.metricsPort ?? own.metricsPort.default;
  const longestRequestSeconds = options.longestRequestSeconds ?? own.longestRequestSeconds.default;
  const workers = options.parallelWorkers;
  if (workers !== undefined && !(Number.isInteger(workers) && workers >= 0)) {
    throw invalid("mlserver", "parallelWorkers", workers, "a whole number, 0 or more");
  }
  return checkedServer(
    {
      name: "mlserver",
      httpPort,
      otherPorts: { grpc: grpcPort, metrics: metricsPort },
      ...healthProbes("/v2/health/ready", "/v2/health/live", options.startupSeconds),
      // After SIGTERM: 5 s for each worker to end (parallel_workers_timeout), 5 s for gRPC, some for the rest.
      ...shutdownTimes({
        longestRequestSeconds,
        finishesForSeconds: 0,
        endsWithinSeconds: 5 * Math.max(1, workers ?? 1) + 10,
      }),
      env: {
        MLSERVER_HTTP_PORT: String(httpPort),
        MLSERVER_GRPC_PORT: String(grpcPort),
        MLSERVER_METRICS_PORT: String(metricsPort),
        ...(workers === undefined ? {} : { MLSERVER_PARALLEL_WORKERS: String(workers) }),
        ...options.env,
      },
      keepAliveSeconds: uvicornKeepAliveSeconds,
      identity: options.identity ?? openInferenceIdentity(name),
      protocol: "open-inference",
      metrics: { port: metricsPort, path: "/metrics" },
      draining: { gauges: ["rest_server_requests_in_progress"] },
    },
    longestRequestSeconds,
  );
}

export const mlserverPreset: Preset<MlserverOptions> = { options: own, images: /mlserver/, server: mlserver };
