import type { ModelServer } from "../../core/model.ts";
import { checkedServer, refuseUnknown } from "./checks.ts";
import type { OptionTable, Preset } from "./option.ts";
import {
  type CommonServerOptions,
  commonOptions,
  healthProbes,
  modelNameOption,
  requiredName,
  shutdownTimes,
} from "./shared.ts";

/** What `tensorflowServing` takes. */
export interface TensorflowServingOptions extends CommonServerOptions {
  /** Name of the model, `/v1/models/NAME`; the image gets it as `MODEL_NAME`. */
  readonly modelName: string;
  /** What `--rest_api_port` says. @default 8501 */
  readonly restPort?: number;
  /** What `--port` says. @default 8500 */
  readonly grpcPort?: number;
  /** Whether a `--monitoring_config_file` switches the metrics on. @default false */
  readonly metrics?: boolean;
}

const own = {
  ...commonOptions,
  modelName: modelNameOption,
  restPort: { is: "port", about: "What --rest_api_port says", default: 8501 },
  grpcPort: { is: "port", about: "What --port says", default: 8500 },
  metrics: { is: "flag", about: "Whether --monitoring_config_file switches metrics on", default: false },
} as const satisfies OptionTable<TensorflowServingOptions>;

/**
 * [TensorFlow Serving](https://github.com/tensorflow/serving) with its REST API.
 *
 * - Ports 8501 (REST) and 8500 (gRPC):
 *   [Dockerfile](https://github.com/tensorflow/serving/blob/master/tensorflow_serving/tools/docker/Dockerfile). `MODEL_NAME` is read by the
 *   image's entry point.
 * - The port opens once the models are loaded; `/v1/models/NAME/metadata` needs a loaded version, `/v1/models/NAME` lists the versions
 *   with their states ([REST API](https://github.com/tensorflow/serving/blob/master/tensorflow_serving/g3doc/api_rest.md)).
 * - The same over gRPC:
 *   [get_model_status.proto](https://github.com/tensorflow/serving/blob/master/tensorflow_serving/apis/get_model_status.proto).
 * - It handles no SIGTERM
 *   ([main.cc](https://github.com/tensorflow/serving/blob/master/tensorflow_serving/model_servers/main.cc)), and in the official image it is
 *   the child of a shell that doesn't pass it on: the pod serves until it is killed.
 * - It sets no idle timeout on connections
 *   ([evhttp_server.cc](https://github.com/tensorflow/serving/blob/master/tensorflow_serving/util/net_http/server/internal/evhttp_server.cc)).
 * @throws UserError `server-invalid`
 */
export function tensorflowServing(options: TensorflowServingOptions): ModelServer {
  refuseUnknown("tensorflow-serving", options, own);
  const name = requiredName(
    "tensorflow-serving",
    "modelName",
    options.modelName,
    'the name of the model, for example tensorflowServing({ modelName: "fraud" })',
  );
  const restPort = options.restPort ?? own.restPort.default;
  const longestRequestSeconds = options.longestRequestSeconds ?? own.longestRequestSeconds.default;
  const status = `/v1/models/${encodeURIComponent(name)}`;
  return checkedServer(
    {
      name: "tensorflow-serving",
      httpPort: restPort,
      otherPorts: { grpc: options.grpcPort ?? own.grpcPort.default },
      ...healthProbes(`${status}/metadata`, status, options.startupSeconds),
      // Waiting for it to end would be in vain.
      ...shutdownTimes({ longestRequestSeconds, finishesForSeconds: 0, endsWithinSeconds: 2 }),
      env: { MODEL_NAME: name, ...options.env },
      keepAliveSeconds: undefined,
      identity: options.identity ?? {
        path: status,
        from: { kind: "json", path: "model_version_status.0.version" },
        grpc: {
          method: "tensorflow.serving.ModelService/GetModelStatus",
          request: { "1.1": name },
          from: { kind: "field", path: "1.1" },
        },
      },
      protocol: "tensorflow",
      metrics:
        options.metrics === true ? { port: restPort, path: "/monitoring/prometheus/metrics" } : undefined,
      draining: undefined,
    },
    longestRequestSeconds,
  );
}

export const tensorflowServingPreset: Preset<TensorflowServingOptions> = {
  options: own,
  images: /tensorflow[/-]serving/,
  server: tensorflowServing,
};
