import { credentials, Metadata } from "@grpc/grpc-js";
import engineGrpc from "@pulumi/pulumi/proto/engine_grpc_pb.js";
import enginePb from "@pulumi/pulumi/proto/engine_pb.js";
import type { EventSink } from "../core/events.ts";

export type Severity = "debug" | "info" | "warning" | "error";

/** Where a provider tells the user about a resource: the Pulumi engine, which shows it beside the resource. */
export interface ResourceLog {
  /** A line that stays. */
  log(severity: Severity, urn: string, message: string): void;
  /** The present state of a resource in work; replaces the one before, and the empty text clears it. */
  status(severity: Severity, urn: string, message: string): void;
  close(): void;
}

/** An engine that has ended must not be waited for. */
const deliveryMs = 5000;

const severities = {
  debug: enginePb.LogSeverity.DEBUG,
  info: enginePb.LogSeverity.INFO,
  warning: enginePb.LogSeverity.WARNING,
  error: enginePb.LogSeverity.ERROR,
} as const;

/** Sends to the engine at an address such as `127.0.0.1:34861`. A message that can't be delivered is dropped. */
export function engineLog(address: string): ResourceLog {
  const client = new engineGrpc.EngineClient(address, credentials.createInsecure());
  const send = (severity: Severity, urn: string, message: string, ephemeral: boolean) => {
    const request = new enginePb.LogRequest();
    request.setSeverity(severities[severity]);
    request.setUrn(urn);
    request.setMessage(message);
    request.setEphemeral(ephemeral);
    client.log(request, new Metadata(), { deadline: Date.now() + deliveryMs }, () => {});
  };
  const lastStatus = new Map<string, string>();
  return {
    log: (severity, urn, message) => send(severity, urn, message, false),
    status(severity, urn, message) {
      if (lastStatus.get(urn) === message) return;
      lastStatus.set(urn, message);
      send(severity, urn, message, true);
    },
    close: () => client.close(),
  };
}

/** For a server that no engine has told its address: warnings go to the command itself. */
export function eventLog(events: EventSink | undefined): ResourceLog {
  return {
    log(severity, _urn, message) {
      if (severity === "warning" || severity === "error") {
        events?.({ type: "warning", code: "kubernetes-provider", message });
      }
    },
    status: () => {},
    close: () => {},
  };
}
