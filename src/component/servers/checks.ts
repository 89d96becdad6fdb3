import { exitCodes, UserError } from "../../core/errors.ts";
import { fieldPathPattern, methodPattern } from "../../core/grpc-names.ts";
import type { ModelServer } from "../../core/model.ts";
import { didYouMean } from "../../core/nearest.ts";

export function invalid(server: string, field: string, value: unknown, expected: string): UserError {
  return new UserError({
    code: "server-invalid",
    message: `Model server "${server}": ${field} is ${JSON.stringify(value) ?? "missing"}, but must be ${expected}.`,
    exitCode: exitCodes.usage,
  });
}

/**
 * Types are no check where Node.js strips them: in a configuration file a misspelt option would do nothing.
 * @throws UserError `server-invalid`
 */
export function refuseUnknown<Options extends object>(
  server: string,
  options: Options,
  known: Readonly<Record<keyof Options, unknown>>,
): void {
  const names = Object.keys(known);
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  throw new UserError({
    code: "server-invalid",
    message: `Model server "${server}" has no option ${JSON.stringify(unknown)}${didYouMean(unknown, names)}`,
    hint: `Its options are: ${names.toSorted().join(", ")}.`,
    exitCode: exitCodes.usage,
  });
}

/** Kubernetes' rule for names of container ports. */
const portName = /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/;

/** The server itself, or the first contradiction in it. */
export function checkedServer(server: ModelServer, longestRequestSeconds: number): ModelServer {
  const wrong = (field: string, value: unknown, expected: string) =>
    invalid(server.name, field, value, expected);

  const ports = new Map<number, string>();
  for (const [name, port] of Object.entries({ http: server.httpPort, ...server.otherPorts })) {
    if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      throw wrong(`port "${name}"`, port, "a whole number from 1 to 65535");
    }
    if (!portName.test(name)) {
      throw wrong(
        "a port's name",
        name,
        "at most 15 lower-case letters, digits and single dashes, for example metrics",
      );
    }
    const other = ports.get(port);
    if (other !== undefined) throw wrong(`port "${name}"`, port, `another port than that of "${other}"`);
    ports.set(port, name);
  }
  if (server.otherPorts.http !== undefined) {
    throw wrong("a port's name", "http", "another name: http is the port that requests go to");
  }

  if (server.http === false && server.otherPorts.grpc !== undefined) {
    throw wrong("a port's name", "grpc", "another name: grpc is the port that requests go to");
  }

  const paths = {
    "readiness path": server.readiness.path,
    "liveness path": server.liveness?.path,
    "startup path": server.startup?.path,
    "identity path": server.identity?.path,
    "metrics path": server.metrics?.path,
  };
  for (const [field, path] of Object.entries(paths)) {
    if (path !== undefined && !path.startsWith("/"))
      throw wrong(field, path, "an absolute path, starting with /");
  }
  const identity = server.identity?.from;
  if (identity?.kind === "header" && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(identity.name)) {
    throw wrong("identity header", identity.name, "the name of an HTTP header");
  }
  if (identity?.kind === "json" && identity.path.split(".").includes("")) {
    throw wrong("identity JSON path", identity.path, "keys separated by dots, for example versions.0");
  }

  const grpc = server.identity?.grpc;
  if (grpc !== undefined && !methodPattern.test(grpc.method)) {
    throw wrong(
      "identity gRPC method",
      grpc.method,
      "SERVICE/METHOD, for example inference.GRPCInferenceService/ModelMetadata",
    );
  }
  const fields = [
    ...Object.keys(grpc?.request ?? {}),
    ...(grpc?.from.kind === "field" ? [grpc.from.path] : []),
  ];
  const wrongField = fields.find((field) => !fieldPathPattern.test(field));
  if (wrongField !== undefined) {
    throw wrong(
      "identity gRPC field",
      wrongField,
      "numbers of fields separated by dots, for example 2 or 1.2",
    );
  }

  const { metrics, draining } = server;
  if (metrics !== undefined && !ports.has(metrics.port)) {
    throw wrong(
      "metrics port",
      metrics.port,
      `one of the container's ports (${[...ports.keys()].join(", ")}); name it in otherPorts`,
    );
  }
  if (draining !== undefined && metrics === undefined) {
    throw wrong("draining", draining, "given together with metrics, where its gauges are read");
  }
  const wrongGauge = draining?.gauges.find((gauge) => !/^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(gauge));
  if (wrongGauge !== undefined) {
    throw wrong("draining gauge", wrongGauge, "the name of a metric, for example requests_in_progress");
  }
  if (draining?.gauges.length === 0) {
    throw wrong("draining gauges", draining.gauges, "a list of at least one name");
  }
  for (const field of ["baseline", "lagSeconds"] as const) {
    const value = draining?.[field];
    if (value !== undefined && !(Number.isFinite(value) && value >= 0)) {
      throw wrong(`draining ${field}`, value, "a number, 0 or more");
    }
  }

  const seconds = {
    longestRequestSeconds,
    preStopSleepSeconds: server.preStopSleepSeconds,
    terminationGracePeriodSeconds: server.terminationGracePeriodSeconds,
  };
  for (const [field, value] of Object.entries(seconds)) {
    if (!Number.isInteger(value) || value < 0)
      throw wrong(field, value, "a whole number of seconds, 0 or more");
  }
  const needed = server.preStopSleepSeconds + 1;
  if (server.terminationGracePeriodSeconds < needed) {
    throw wrong(
      "terminationGracePeriodSeconds",
      server.terminationGracePeriodSeconds,
      `at least ${needed}: the pod sleeps for preStopSleepSeconds (${server.preStopSleepSeconds}) of it and then has to end`,
    );
  }
  return server;
}
