import { z } from "zod";
import type { BentomlOptions } from "../../component/servers/bentoml.ts";
import type { CustomServerOptions } from "../../component/servers/custom.ts";
import type { FastapiOptions } from "../../component/servers/fastapi.ts";
import type { MlserverOptions } from "../../component/servers/mlserver.ts";
import type { RayServeOptions } from "../../component/servers/ray-serve.ts";
import type { TensorflowServingOptions } from "../../component/servers/tensorflow-serving.ts";
import type { TorchserveOptions } from "../../component/servers/torchserve.ts";
import type { TritonOptions } from "../../component/servers/triton.ts";
import type { VllmOptions } from "../../component/servers/vllm.ts";
import { inferenceProtocols } from "../../core/model.ts";
import { absolutePath, port, text } from "../parts/schema-parts.ts";
import { containerPorts, environment, grpcIdentity, identitySchema, serverFacts } from "./server-parts.ts";

/** The options of each preset, as `server: { preset: NAME, … }` takes them. */

const seconds = (about: string, minimum = 0) => z.int().min(minimum).describe(about);
const portWith = (flag: string, otherwise: number) =>
  port.describe(`What ${flag} says. Default: ${otherwise}`);
const servedAt = (otherwise: number) => port.describe(`Port that requests go to. Default: ${otherwise}`);

const common = (startup = 600, longest = 30) => ({
  startupSeconds: seconds(`Seconds that loading the model may take. Default: ${startup}`),
  longestRequestSeconds: seconds(
    `The longest that one request takes, a stream to its end. Default: ${longest}`,
  ),
  identity: identitySchema,
  env: environment,
});

const modelName = text("Name of the model inside the server. Default: the name of the model");

/** Every option of the preset's function, neither more nor fewer. */
function form<Options>() {
  return <const Preset extends string, Shape extends Readonly<Record<keyof Options, z.ZodType>>>(
    preset: Preset,
    shape: Shape & { readonly [Key in Exclude<keyof Shape, keyof Options>]: never },
  ) =>
    z.strictObject({
      preset: z.literal(preset).describe("The preset"),
      ...z.object(shape as Shape).partial().shape,
    });
}

/** A preset with its options. */
export const presetSchema = z.discriminatedUnion("preset", [
  form<MlserverOptions>()("mlserver", {
    ...common(),
    modelName,
    httpPort: portWith("MLSERVER_HTTP_PORT", 8080),
    grpcPort: portWith("MLSERVER_GRPC_PORT", 8081),
    metricsPort: portWith("MLSERVER_METRICS_PORT", 8082),
    parallelWorkers: z
      .int()
      .min(0)
      .describe("Inference processes; 0 runs inference in the server's own. Default: MLServer's own"),
  }),
  form<TritonOptions>()("triton", {
    ...common(),
    modelName,
    httpPort: portWith("--http-port", 8000),
    grpcPort: portWith("--grpc-port", 8001),
    metricsPort: portWith("--metrics-port", 8002),
    exitTimeoutSeconds: seconds("What --exit-timeout-secs says. Default: 30"),
  }),
  form<VllmOptions>()("vllm", {
    ...common(1800, 120),
    port: portWith("--port", 8000),
    shutdownTimeoutSeconds: seconds("What --shutdown-timeout says. Default: 0"),
  }),
  form<TensorflowServingOptions>()("tensorflow-serving", {
    ...common(),
    modelName,
    restPort: portWith("--rest_api_port", 8501),
    grpcPort: portWith("--port", 8500),
    metrics: z.boolean().describe("Whether --monitoring_config_file switches metrics on. Default: false"),
  }),
  form<TorchserveOptions>()("torchserve", {
    ...common(),
    httpPort: portWith("inference_address", 8080),
    metricsPort: portWith("metrics_address", 8082),
    grpcPort: portWith("grpc_inference_port", 7070),
  }),
  form<BentomlOptions>()("bentoml", {
    ...common(),
    port: servedAt(3000),
    keepAliveSeconds: seconds("What --timeout-keep-alive says. Default: 5", 1),
  }),
  form<RayServeOptions>()("ray-serve", {
    ...common(),
    port: servedAt(8000),
    readinessPath: absolutePath.describe("Path of the application. Default: the path of identity"),
    metricsPort: port.describe("What --metrics-export-port says. Default: no metrics"),
  }),
  form<FastapiOptions>()("fastapi", {
    ...common(),
    port: servedAt(8000),
    readinessPath: absolutePath.describe("Answers 2xx once the model is loaded. Default: /openapi.json"),
    livenessPath: z
      .union([absolutePath, z.literal(false)])
      .describe(
        "Answers 2xx while the process is sound; false: no liveness probe. Default: the readiness path",
      ),
    metricsPath: absolutePath.describe("Path of Prometheus metrics. Default: no metrics"),
    inProgressGauge: z.string().min(1).describe("Gauge of requests in progress. Default: no gauge"),
    inProgressBaseline: z.number().min(0).describe("What it says on an idle replica. Default: 0"),
  }),
  form<CustomServerOptions>()("custom", {
    ...common(),
    name: z.string().min(1).describe("Name for messages. Default: custom"),
    port: servedAt(8080),
    grpcOnly: grpcIdentity.describe(
      "For a server without HTTP: the method whose answers tell blue from green. Default: it speaks HTTP",
    ),
    otherPorts: containerPorts,
    readinessPath: absolutePath.describe("Answers 2xx once the model is loaded. Default: /"),
    livenessPath: absolutePath.describe("Answers 2xx while the process is sound. Default: no liveness probe"),
    readinessService: z
      .string()
      .describe(
        "With grpcOnly: what the health service is asked about until requests come. Default: the server as a whole",
      ),
    livenessService: z
      .string()
      .describe(
        'With grpcOnly: what it is asked about to restart a server that hangs, "" for the server as a whole. Default: no liveness probe',
      ),
    preStopSleepSeconds: seconds("Seconds that a terminating pod goes on serving. Default: 10"),
    terminationGracePeriodSeconds: seconds(
      "At least the two above. Default: preStopSleepSeconds and longestRequestSeconds and 5",
      1,
    ),
    keepAliveSeconds: serverFacts.keepAliveSeconds,
    protocol: z.enum(inferenceProtocols).describe("What inference requests look like. Default: custom"),
    metrics: serverFacts.metrics,
    draining: serverFacts.draining,
  }),
]);
