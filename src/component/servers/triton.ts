import type { ModelServer } from "../../core/model.ts";
import { checkedServer, refuseUnknown } from "./checks.ts";
import type { OptionTable, Preset } from "./option.ts";
import {
  type CommonServerOptions,
  commonOptions,
  healthProbes,
  modelNameOption,
  openInferenceIdentity,
  requiredName,
  shutdownTimes,
  wholeSeconds,
} from "./shared.ts";

/** What `triton` takes. */
export interface TritonOptions extends CommonServerOptions {
  /** Name of the model: its folder in the model repository, `/v2/models/NAME`. */
  readonly modelName: string;
  /** What `--http-port` says. @default 8000 */
  readonly httpPort?: number;
  /** What `--grpc-port` says. @default 8001 */
  readonly grpcPort?: number;
  /** What `--metrics-port` says. @default 8002 */
  readonly metricsPort?: number;
  /** What `--exit-timeout-secs` says: seconds after SIGTERM in which requests in progress may finish. @default 30, Triton's own */
  readonly exitTimeoutSeconds?: number;
}

const own = {
  ...commonOptions,
  modelName: modelNameOption,
  httpPort: { is: "port", about: "What --http-port says", default: 8000 },
  grpcPort: { is: "port", about: "What --grpc-port says", default: 8001 },
  metricsPort: { is: "port", about: "What --metrics-port says", default: 8002 },
  exitTimeoutSeconds: { is: "seconds", about: "What --exit-timeout-secs says", default: 30 },
} as const satisfies OptionTable<TritonOptions>;

/**
 * [NVIDIA Triton Inference Server](https://github.com/triton-inference-server/server) with the Open Inference Protocol.
 *
 * - Ports: 8000, 8001, 8002
 *   ([quick start](https://github.com/triton-inference-server/server/blob/main/docs/getting_started/quickstart.md)).
 * - On SIGTERM it accepts no new connection and waits, at most `--exit-timeout-secs` (30), until the open ones are closed:
 *   [src/http_server.cc](https://github.com/triton-inference-server/server/blob/main/src/http_server.cc), `HTTPServer::Stop`.
 *   Idle keep-alive connections count, so behind an ingress controller that time mostly runs out.
 * - It sets no idle timeout on connections (same file).
 * - Metrics: port 8002, `/metrics`. `nv_inference_pending_request_count` counts only what waits for execution
 *   ([metrics](https://github.com/triton-inference-server/server/blob/main/docs/user_guide/metrics.md)), so it is no evidence of
 *   draining.
 * @throws UserError `server-invalid`
 */
export function triton(options: TritonOptions): ModelServer {
  refuseUnknown("triton", options, own);
  const name = requiredName(
    "triton",
    "modelName",
    options.modelName,
    'the name of the model in the model repository, for example triton({ modelName: "fraud" })',
  );
  const longestRequestSeconds = options.longestRequestSeconds ?? own.longestRequestSeconds.default;
  const metricsPort = options.metricsPort ?? own.metricsPort.default;
  const exitTimeout = wholeSeconds(
    "triton",
    "exitTimeoutSeconds",
    options.exitTimeoutSeconds ?? own.exitTimeoutSeconds.default,
  );
  return checkedServer(
    {
      name: "triton",
      httpPort: options.httpPort ?? own.httpPort.default,
      otherPorts: { grpc: options.grpcPort ?? own.grpcPort.default, metrics: metricsPort },
      ...healthProbes("/v2/health/ready", "/v2/health/live", options.startupSeconds),
      // The models are unloaded after the connections are closed.
      ...shutdownTimes({ longestRequestSeconds, finishesForSeconds: exitTimeout, endsWithinSeconds: 10 }),
      env: { ...options.env },
      keepAliveSeconds: undefined,
      identity: options.identity ?? openInferenceIdentity(name),
      protocol: "open-inference",
      metrics: { port: metricsPort, path: "/metrics" },
      draining: undefined,
    },
    longestRequestSeconds,
  );
}

export const tritonPreset: Preset<TritonOptions> = { options: own, images: /triton/, server: triton };
