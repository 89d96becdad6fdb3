import type { GrpcIdentity, IdentityProbe } from "../../core/identity.ts";
import type {
  DrainingEvidence,
  HttpProbe,
  InferenceProtocol,
  MetricsEndpoint,
  ModelServer,
} from "../../core/model.ts";
import { checkedServer, invalid, refuseUnknown } from "./checks.ts";
import type { OptionTable, Preset } from "./option.ts";
import { commonOptions } from "./shared.ts";

/** Any model server: say its port, what its health checks are and how a slot is recognised. */
export interface CustomServerOptions {
  /** Name for messages. @default custom */
  readonly name?: string;
  /** Port that requests go to. @default 8080 */
  readonly port?: number;
  /** Other container ports by name, for example `{ metrics: 9090 }`. @default none */
  readonly otherPorts?: Readonly<Record<string, number>>;
  /** Path that answers 2xx or 3xx once the model can take requests. @default / */
  readonly readinessPath?: string;
  /** Path that answers 2xx or 3xx while the process is sound; without one the kubelet never restarts it for being slow. @default no liveness probe */
  readonly livenessPath?: string;
  /**
   * With `grpcOnly`: the service that the gRPC health service is asked about; SERVING once the model can take requests.
   * @default the server as a whole
   */
  readonly readinessService?: string;
  /**
   * With `grpcOnly`: the service that is SERVING while the process is sound, also where it takes no requests for a while; `""`: the server
   * as a whole. Without one the kubelet never restarts it for being slow. @default no liveness probe
   */
  readonly livenessService?: string;
  /** Seconds that loading the model may take before the liveness probe counts. @default 600 */
  readonly startupSeconds?: number;
  /** How an answer is recognised as blue's or green's. @default none: the configuration has to say it */
  readonly identity?: IdentityProbe;
  /**
   * For a server that speaks gRPC on `port` and has no HTTP at all: the method whose answers tell blue from green. Probes ask the gRPC health
   * service, and `mark` of each release says what its answers have there. Instead of `identity` and the paths. @default it speaks HTTP
   */
  readonly grpcOnly?: GrpcIdentity;
  /** Seconds that a terminating pod goes on serving while it is forgotten everywhere. @default 10 */
  readonly preStopSleepSeconds?: number;
  /** The longest that one request takes; shutdown waits for it. @default 30 */
  readonly longestRequestSeconds?: number;
  /** @default preStopSleepSeconds and longestRequestSeconds and 5 */
  readonly terminationGracePeriodSeconds?: number;
  /** Seconds that the server keeps an idle connection open, where known. @default unknown */
  readonly keepAliveSeconds?: number;
  /** Environment of every slot; a slot's own `env` wins. @default none */
  readonly env?: Readonly<Record<string, string>>;
  /** What inference requests look like. @default custom */
  readonly protocol?: InferenceProtocol;
  /** Where its Prometheus metrics are, for example `{ port: 9090, path: "/metrics" }`. @default none */
  readonly metrics?: MetricsEndpoint;
  /**
   * Gauges among them that are 0 when no request is in progress, for example `{ gauges: ["requests_in_progress"] }`. Where the server counts
   * the reading of its metrics, too, `baseline` says so. @default none
   */
  readonly draining?: DrainingEvidence;
}

const own = {
  ...commonOptions,
  name: { is: "text", about: "Name for messages", default: "custom" },
  port: { is: "port", about: "Port that requests go to", default: 8080 },
  grpcOnly: {
    is: "gRPC identity",
    about: "For a server without HTTP: the method whose answers tell blue from green",
    otherwise: "it speaks HTTP",
  },
  otherPorts: { is: "other ports" },
  readinessPath: { is: "path", about: "Answers 2xx once the model is loaded", default: "/" },
  livenessPath: {
    is: "path",
    about: "Answers 2xx while the process is sound",
    otherwise: "no liveness probe",
  },
  readinessService: {
    is: "text or nothing",
    about: "With grpcOnly: what the health service is asked about until requests come",
    otherwise: "the server as a whole",
  },
  livenessService: {
    is: "text or nothing",
    about:
      'With grpcOnly: what it is asked about to restart a server that hangs, "" for the server as a whole',
    otherwise: "no liveness probe",
  },
  preStopSleepSeconds: {
    is: "seconds",
    about: "Seconds that a terminating pod goes on serving",
    default: 10,
  },
  terminationGracePeriodSeconds: {
    is: "seconds",
    about: "At least the two above",
    otherwise: "preStopSleepSeconds and longestRequestSeconds and 5",
    minimum: 1,
  },
  keepAliveSeconds: { is: "keep-alive" },
  protocol: { is: "protocol", about: "What inference requests look like", default: "custom" },
  metrics: { is: "metrics" },
  draining: { is: "draining" },
} as const satisfies OptionTable<CustomServerOptions>;

/**
 * A model server of one's own.
 * @throws UserError `server-invalid`
 */
export function custom(options: CustomServerOptions = {}): ModelServer {
  refuseUnknown("custom", options, own);
  const { grpcOnly } = options;
  const preStopSleepSeconds = options.preStopSleepSeconds ?? own.preStopSleepSeconds.default;
  const longestRequestSeconds = options.longestRequestSeconds ?? own.longestRequestSeconds.default;
  const asked = probesOf(options);
  const liveness = asked.liveness && probe(asked.liveness, 10, 3);
  const startupPeriod = 5;
  const startupSeconds = options.startupSeconds ?? own.startupSeconds.default;
  return checkedServer(
    {
      name: options.name ?? own.name.default,
      httpPort: options.port ?? own.port.default,
      ...(grpcOnly === undefined ? {} : { http: false }),
      otherPorts: options.otherPorts ?? {},
      readiness: probe(asked.readiness, 2, 2),
      liveness,
      // Without a liveness probe nothing restarts a slow starter, so nothing has to be held back.
      startup:
        asked.liveness &&
        probe(asked.liveness, startupPeriod, Math.max(1, Math.ceil(startupSeconds / startupPeriod))),
      preStopSleepSeconds,
      terminationGracePeriodSeconds:
        options.terminationGracePeriodSeconds ?? preStopSleepSeconds + longestRequestSeconds + 5,
      env: options.env ?? {},
      keepAliveSeconds: options.keepAliveSeconds,
      identity: grpcOnly === undefined ? options.identity : grpcIdentity(options, grpcOnly),
      protocol: options.protocol ?? own.protocol.default,
      metrics: options.metrics,
      draining: options.draining,
    },
    longestRequestSeconds,
  );
}

export const customPreset: Preset<CustomServerOptions> = { options: own, server: custom };

type Asked = Pick<HttpProbe, "path" | "service">;

/** What probes ask: paths over HTTP, services of the gRPC health service without it. */
function probesOf(options: CustomServerOptions): { readonly readiness: Asked; readonly liveness?: Asked } {
  const {
    grpcOnly,
    readinessPath = own.readinessPath.default,
    livenessPath,
    readinessService,
    livenessService,
  } = options;
  if (grpcOnly !== undefined) {
    return {
      readiness: { path: "/", ...(readinessService === undefined ? {} : { service: readinessService }) },
      ...(livenessService === undefined ? {} : { liveness: { path: "/", service: livenessService } }),
    };
  }
  for (const option of ["readinessService", "livenessService"] as const) {
    if (options[option] === undefined) continue;
    const instead = option === "readinessService" ? "readinessPath" : "livenessPath";
    throw invalid(
      options.name ?? own.name.default,
      option,
      options[option],
      `left out without grpcOnly: over HTTP it is ${instead}`,
    );
  }
  return {
    readiness: { path: readinessPath },
    ...(livenessPath === undefined ? {} : { liveness: { path: livenessPath } }),
  };
}

function probe(asked: Asked, periodSeconds: number, failureThreshold: number): HttpProbe {
  return { ...asked, periodSeconds, timeoutSeconds: 2, failureThreshold };
}

/** Nothing is ever asked over HTTP, so the path is only the method's own. */
function grpcIdentity(options: CustomServerOptions, grpc: GrpcIdentity): IdentityProbe {
  for (const option of ["identity", "readinessPath", "livenessPath"] as const) {
    if (options[option] === undefined) continue;
    throw invalid(
      options.name ?? own.name.default,
      option,
      options[option],
      "left out with grpcOnly: a server without HTTP answers no path",
    );
  }
  return { path: `/${grpc.method}`, from: { kind: "body" }, grpc };
}
