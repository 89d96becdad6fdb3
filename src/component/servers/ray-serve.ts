import type { ModelServer } from "../../core/model.ts";
import { checkedServer, refuseUnknown } from "./checks.ts";
import type { OptionTable, Preset } from "./option.ts";
import {
  type CommonServerOptions,
  commonOptions,
  healthProbes,
  keepAliveAboveIngress,
  shutdownTimes,
} from "./shared.ts";

/** What `rayServe` takes. */
export interface RayServeOptions extends CommonServerOptions {
  /** Port of the HTTP proxy (`http_options.port`). @default 8000 */
  readonly port?: number;
  /**
   * Path of the application, for readiness: what the proxy answers by itself passes before the model is loaded.
   * @default the path of `identity`, else /-/routes
   */
  readonly readinessPath?: string;
  /** What `ray start --metrics-export-port` says. @default no metrics: Ray takes a free port */
  readonly metricsPort?: number;
}

/** Ray hands its metrics on every ten seconds (`metrics_report_interval_ms`); some are for the way. */
const exportSeconds = 15;

const own = {
  ...commonOptions,
  port: { is: "port", about: "Port that requests go to", default: 8000 },
  readinessPath: { is: "path", about: "Path of the application", otherwise: "the path of identity" },
  metricsPort: { is: "port", about: "What --metrics-export-port says", otherwise: "no metrics" },
} as const satisfies OptionTable<RayServeOptions>;

/**
 * [Ray Serve](https://docs.ray.io/en/latest/serve/index.html), a Ray node of its own in every pod.
 *
 * - Port 8000. The proxy listens on 127.0.0.1 unless told otherwise: `RAY_SERVE_DEFAULT_HTTP_HOST`, or `http_options.host`
 *   ([constants.py](https://github.com/ray-project/ray/blob/master/python/ray/serve/_private/constants.py)).
 * - `/-/healthz` and `/-/routes` are the proxy's
 *   ([proxy.py](https://github.com/ray-project/ray/blob/master/python/ray/serve/_private/proxy.py)).
 * - On SIGTERM `serve run` ends within seconds, and requests in progress with it; `graceful_shutdown_timeout_s` (20 s) holds for replicas that
 *   Serve itself replaces
 *   ([configuration](https://docs.ray.io/en/latest/serve/configure-serve-deployment.html)).
 * - Keep-alive: 90 s, just as long as Traefik's idle timeout; `RAY_SERVE_HTTP_KEEP_ALIVE_TIMEOUT_S` or `http_options.keep_alive_timeout_s`.
 * - `ray_serve_num_ongoing_http_requests` counts what the proxy has in progress
 *   ([monitoring](https://docs.ray.io/en/latest/serve/monitoring.html)).
 * @throws UserError `server-invalid`
 */
export function rayServe(options: RayServeOptions = {}): ModelServer {
  refuseUnknown("ray-serve", options, own);
  const { metricsPort } = options;
  const longestRequestSeconds = options.longestRequestSeconds ?? own.longestRequestSeconds.default;
  return checkedServer(
    {
      name: "ray-serve",
      httpPort: options.port ?? own.port.default,
      otherPorts: metricsPort === undefined ? {} : { metrics: metricsPort },
      ...healthProbes(
        options.readinessPath ?? options.identity?.path ?? "/-/routes",
        "/-/healthz",
        options.startupSeconds,
      ),
      ...shutdownTimes({ longestRequestSeconds, finishesForSeconds: 0, endsWithinSeconds: 15 }),
      env: {
        RAY_SERVE_DEFAULT_HTTP_HOST: "0.0.0.0",
        RAY_SERVE_HTTP_KEEP_ALIVE_TIMEOUT_S: String(keepAliveAboveIngress),
        ...options.env,
      },
      keepAliveSeconds: keepAliveAboveIngress,
      // Ray Serve tells no version; docs/servers/ray-serve.md says how to mend it.
      identity: options.identity,
      protocol: "custom",
      metrics: metricsPort === undefined ? undefined : { port: metricsPort, path: "/metrics" },
      draining:
        metricsPort === undefined
          ? undefined
          : { gauges: ["ray_serve_num_ongoing_http_requests"], lagSeconds: exportSeconds },
    },
    longestRequestSeconds,
  );
}

export const rayServePreset: Preset<RayServeOptions> = {
  options: own,
  images: /(rayproject|ray-serve)/,
  server: rayServe,
};
