import type { ModelServer } from "../../core/model.ts";
import { checkedServer, refuseUnknown } from "./checks.ts";
import type { OptionTable, Preset } from "./option.ts";
import { type CommonServerOptions, commonOptions, healthProbes, shutdownTimes } from "./shared.ts";

/** What `torchserve` takes. */
export interface TorchserveOptions extends CommonServerOptions {
  /** Port of `inference_address`. @default 8080 */
  readonly httpPort?: number;
  /** Port of `metrics_address`. @default 8082 */
  readonly metricsPort?: number;
  /** Port of `grpc_inference_port`. @default 7070 */
  readonly grpcPort?: number;
}

const own = {
  ...commonOptions,
  httpPort: { is: "port", about: "What inference_address says", default: 8080 },
  metricsPort: { is: "port", about: "What metrics_address says", default: 8082 },
  grpcPort: { is: "port", about: "What grpc_inference_port says", default: 7070 },
} as const satisfies OptionTable<TorchserveOptions>;

/**
 * [TorchServe](https://github.com/pytorch/serve) with its own inference API. The project is no longer maintained.
 *
 * - Ports 8080 (inference), 8081 (management), 8082 (metrics), 7070 (gRPC): the image's
 *   [config.properties](https://github.com/pytorch/serve/blob/master/docker/config.properties). The management API loads code, so the
 *   preset doesn't name its port.
 * - `/ping` answers 200 while every model has its `minWorkers`, else 500
 *   ([inference API](https://github.com/pytorch/serve/blob/master/docs/inference_api.md)).
 * - On SIGTERM it closes all connections first, and requests in progress with them
 *   ([ServerGroups.java](https://github.com/pytorch/serve/blob/master/frontend/server/src/main/java/org/pytorch/serve/util/ServerGroups.java));
 *   the official image's entry point doesn't even pass it on
 *   ([dockerd-entrypoint.sh](https://github.com/pytorch/serve/blob/master/docker/dockerd-entrypoint.sh)).
 * - No idle timeout, and no gauge of requests in progress.
 * @throws UserError `server-invalid`
 */
export function torchserve(options: TorchserveOptions = {}): ModelServer {
  refuseUnknown("torchserve", options, own);
  const metricsPort = options.metricsPort ?? own.metricsPort.default;
  const longestRequestSeconds = options.longestRequestSeconds ?? own.longestRequestSeconds.default;
  return checkedServer(
    {
      name: "torchserve",
      httpPort: options.httpPort ?? own.httpPort.default,
      otherPorts: { metrics: metricsPort, grpc: options.grpcPort ?? own.grpcPort.default },
      ...healthProbes("/ping", "/ping", options.startupSeconds),
      // Waiting for it to end would be in vain with the official image.
      ...shutdownTimes({ longestRequestSeconds, finishesForSeconds: 0, endsWithinSeconds: 5 }),
      env: { ...options.env },
      keepAliveSeconds: undefined,
      // The inference API tells no version; docs/servers/torchserve.md says how to mend it.
      identity: options.identity,
      protocol: "torchserve",
      metrics: { port: metricsPort, path: "/metrics" },
      draining: undefined,
    },
    longestRequestSeconds,
  );
}

export const torchservePreset: Preset<TorchserveOptions> = {
  options: own,
  images: /torchserve/,
  server: torchserve,
};
