import type { DrainingEvidence, MetricsEndpoint, ModelServer } from "../../core/model.ts";
import { checkedServer, refuseUnknown } from "./checks.ts";
import type { OptionTable, Preset } from "./option.ts";
import {
  type CommonServerOptions,
  commonOptions,
  healthProbes,
  keepAliveAboveIngress,
  shutdownTimes,
} from "./shared.ts";

/** What `fastapi` takes. */
export interface FastapiOptions extends CommonServerOptions {
  /** @default 8000 */
  readonly port?: number;
  /** Path that answers 2xx once the model can take requests. @default /openapi.json */
  readonly readinessPath?: string;
  /** Path that answers 2xx while the process is sound; `false`: no liveness probe. @default the readiness path */
  readonly livenessPath?: string | false;
  /** Path of metrics on the same port, for example `/metrics`. @default no metrics */
  readonly metricsPath?: string;
  /** Gauge of requests in progress among those metrics. @default no gauge */
  readonly inProgressGauge?: string;
  /** What that gauge says while the metrics of an idle application are read: 1 where it counts this request, too. @default 0 */
  readonly inProgressBaseline?: number;
}

const own = {
  ...commonOptions,
  port: { is: "port", about: "Port that requests go to", default: 8000 },
  readinessPath: { is: "path", about: "Answers 2xx once the model is loaded", default: "/openapi.json" },
  livenessPath: {
    is: "path or false",
    about: "Answers 2xx while the process is sound; false: no liveness probe",
    otherwise: "the readiness path",
  },
  metricsPath: { is: "path", about: "Path of Prometheus metrics", otherwise: "no metrics" },
  inProgressGauge: { is: "text", about: "Gauge of requests in progress", otherwise: "no gauge" },
  inProgressBaseline: { is: "amount", about: "What it says on an idle replica", default: 0 },
} as const satisfies OptionTable<FastapiOptions>;

/**
 * A [FastAPI](https://fastapi.tiangolo.com) application of one's own (ONNX Runtime, scikit-learn, anything), run by the command
 * `uvicorn MODULE:APP`.
 *
 * - uvicorn reads every option from an environment variable, so the preset can set them:
 *   [settings](https://www.uvicorn.org/settings/). Options on the command line win.
 * - On SIGTERM it accepts no new connection and lets requests in progress finish, at most `--timeout-graceful-shutdown`
 *   ([server behavior](https://www.uvicorn.org/server-behavior/)).
 * - Idle connections are closed after `--timeout-keep-alive`, 5 s by default.
 * - `/openapi.json` has the version of the application, `FastAPI(version=…)`
 *   ([metadata](https://fastapi.tiangolo.com/tutorial/metadata/)).
 * @throws UserError `server-invalid`
 */
export function fastapi(options: FastapiOptions = {}): ModelServer {
  refuseUnknown("fastapi", options, own);
  const port = options.port ?? own.port.default;
  const longestRequestSeconds = options.longestRequestSeconds ?? own.longestRequestSeconds.default;
  const readinessPath = options.readinessPath ?? own.readinessPath.default;
  const livenessPath = options.livenessPath === false ? undefined : (options.livenessPath ?? readinessPath);
  const metrics: MetricsEndpoint | undefined =
    options.metricsPath === undefined ? undefined : { port, path: options.metricsPath };
  const draining: DrainingEvidence | undefined =
    options.inProgressGauge === undefined
      ? undefined
      : {
          gauges: [options.inProgressGauge],
          ...(options.inProgressBaseline === undefined ? {} : { baseline: options.inProgressBaseline }),
        };
  return checkedServer(
    {
      name: "fastapi",
      httpPort: port,
      otherPorts: {},
      ...healthProbes(readinessPath, livenessPath, options.startupSeconds),
      ...shutdownTimes({
        longestRequestSeconds,
        finishesForSeconds: longestRequestSeconds,
        endsWithinSeconds: 5,
      }),
      env: {
        UVICORN_HOST: "0.0.0.0",
        UVICORN_PORT: String(port),
        UVICORN_TIMEOUT_KEEP_ALIVE: String(keepAliveAboveIngress),
        UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN: String(longestRequestSeconds),
        ...options.env,
      },
      keepAliveSeconds: keepAliveAboveIngress,
      identity: options.identity ?? { path: "/openapi.json", from: { kind: "json", path: "info.version" } },
      protocol: "custom",
      metrics,
      draining,
    },
    longestRequestSeconds,
  );
}

export const fastapiPreset: Preset<FastapiOptions> = { options: own, server: fastapi };
