import type { ModelServer } from "../../core/model.ts";
import { checkedServer, refuseUnknown } from "./checks.ts";
import type { OptionTable, Preset } from "./option.ts";
import {
  type CommonServerOptions,
  commonOptions,
  healthProbes,
  keepAliveAboveIngress,
  shutdownTimes,
  wholeSeconds,
} from "./shared.ts";

/** What `vllm` takes. */
export interface VllmOptions extends CommonServerOptions {
  /** What `--port` says. @default 8000 */
  readonly port?: number;
  /** The longest that one request takes, a streamed answer to its end; shutdown waits for it. @default 120 */
  readonly longestRequestSeconds?: number;
  /** What `--shutdown-timeout` says: seconds after SIGTERM in which requests in progress may finish. @default 0, vLLM's own */
  readonly shutdownTimeoutSeconds?: number;
  /** Seconds that loading the model may take: weights are downloaded, graphs captured. @default 1800 */
  readonly startupSeconds?: number;
}

const own = {
  ...commonOptions,
  startupSeconds: { ...commonOptions.startupSeconds, default: 1800 },
  longestRequestSeconds: { ...commonOptions.longestRequestSeconds, default: 120 },
  port: { is: "port", about: "What --port says", default: 8000 },
  shutdownTimeoutSeconds: { is: "seconds", about: "What --shutdown-timeout says", default: 0 },
} as const satisfies OptionTable<VllmOptions>;

/**
 * [vLLM](https://docs.vllm.ai) with the OpenAI protocol (`vllm serve`).
 *
 * - Port 8000; `/health` answers 200 while the engine lives, `/metrics` is on the same port
 *   ([metrics](https://docs.vllm.ai/en/latest/usage/metrics/)).
 * - On SIGTERM requests in progress are aborted, unless `--shutdown-timeout` gives them time
 *   ([pull request 36666](https://github.com/vllm-project/vllm/pull/36666)).
 * - uvicorn's idle timeout is `VLLM_HTTP_TIMEOUT_KEEP_ALIVE`, 5 s
 *   ([environment variables](https://docs.vllm.ai/en/latest/configuration/env_vars/)).
 * - `/v1/models` lists a card for each `--served-model-name`, `root` being the model's path or repository
 *   ([serving.py](https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/openai/models/serving.py)).
 * @throws UserError `server-invalid`
 */
export function vllm(options: VllmOptions = {}): ModelServer {
  refuseUnknown("vllm", options, own);
  const port = options.port ?? own.port.default;
  const longestRequestSeconds = options.longestRequestSeconds ?? own.longestRequestSeconds.default;
  const shutdownTimeout = wholeSeconds(
    "vllm",
    "shutdownTimeoutSeconds",
    options.shutdownTimeoutSeconds ?? own.shutdownTimeoutSeconds.default,
  );
  return checkedServer(
    {
      name: "vllm",
      httpPort: port,
      otherPorts: {},
      ...healthProbes("/health", "/health", options.startupSeconds ?? own.startupSeconds.default),
      ...shutdownTimes({ longestRequestSeconds, finishesForSeconds: shutdownTimeout, endsWithinSeconds: 15 }),
      env: { VLLM_HTTP_TIMEOUT_KEEP_ALIVE: String(keepAliveAboveIngress), ...options.env },
      keepAliveSeconds: keepAliveAboveIngress,
      identity: options.identity ?? { path: "/v1/models", from: { kind: "json", path: "data.0.root" } },
      protocol: "openai",
      metrics: { port, path: "/metrics" },
      draining: { gauges: ["vllm:num_requests_running", "vllm:num_requests_waiting"] },
    },
    longestRequestSeconds,
  );
}

export const vllmPreset: Preset<VllmOptions> = { options: own, images: /vllm/, server: vllm };
