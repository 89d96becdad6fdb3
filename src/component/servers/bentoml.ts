import type { ModelServer } from "../../core/model.ts";
import { checkedServer, invalid, refuseUnknown } from "./checks.ts";
import type { OptionTable, Preset } from "./option.ts";
import { type CommonServerOptions, commonOptions, healthProbes, shutdownTimes } from "./shared.ts";

/** What `bentoml` takes. */
export interface BentomlOptions extends CommonServerOptions {
  /** @default 3000 */
  readonly port?: number;
  /** What `bentoml serve --timeout-keep-alive` says. @default 5, BentoML's own */
  readonly keepAliveSeconds?: number;
}

const own = {
  ...commonOptions,
  port: { is: "port", about: "Port that requests go to", default: 3000 },
  keepAliveSeconds: { is: "seconds", about: "What --timeout-keep-alive says", default: 5, minimum: 1 },
} as const satisfies OptionTable<BentomlOptions>;

/**
 * [BentoML](https://docs.bentoml.com) 1.4.
 *
 * - Port 3000 (`BENTOML_PORT`), `/readyz`, `/livez` and `/metrics` on it
 *   ([base_app.py](https://github.com/bentoml/BentoML/blob/main/src/bentoml/_internal/server/base_app.py)).
 * - On SIGTERM it accepts no new connection and lets requests in progress finish; `--timeout-graceful-shutdown` would bound that
 *   ([worker/service.py](https://github.com/bentoml/BentoML/blob/main/src/_bentoml_impl/worker/service.py)).
 * - `--timeout-keep-alive` is 5 s (same file); there is no environment variable for it.
 * - `bentoml_service_request_in_progress`
 *   ([instruments.py](https://github.com/bentoml/BentoML/blob/main/src/bentoml/_internal/server/http/instruments.py)).
 * - `/docs.json` is the OpenAPI document, with the bento's version in it
 *   ([app.py](https://github.com/bentoml/BentoML/blob/main/src/_bentoml_impl/server/app.py)).
 * @throws UserError `server-invalid`
 */
export function bentoml(options: BentomlOptions = {}): ModelServer {
  refuseUnknown("bentoml", options, own);
  const port = options.port ?? own.port.default;
  const longestRequestSeconds = options.longestRequestSeconds ?? own.longestRequestSeconds.default;
  const keepAliveSeconds = options.keepAliveSeconds ?? own.keepAliveSeconds.default;
  if (!(Number.isInteger(keepAliveSeconds) && keepAliveSeconds > 0)) {
    throw invalid("bentoml", "keepAliveSeconds", keepAliveSeconds, "a whole number of seconds, 1 or more");
  }
  return checkedServer(
    {
      name: "bentoml",
      httpPort: port,
      otherPorts: {},
      ...healthProbes("/readyz", "/livez", options.startupSeconds),
      ...shutdownTimes({
        longestRequestSeconds,
        finishesForSeconds: longestRequestSeconds,
        endsWithinSeconds: 10,
      }),
      env: { BENTOML_PORT: String(port), ...options.env },
      keepAliveSeconds,
      identity: options.identity ?? { path: "/docs.json", from: { kind: "json", path: "info.version" } },
      protocol: "bentoml",
      metrics: { port, path: "/metrics" },
      draining: { gauges: ["bentoml_service_request_in_progress"] },
    },
    longestRequestSeconds,
  );
}

export const bentomlPreset: Preset<BentomlOptions> = { options: own, images: /bento/, server: bentoml };
