import { exitCodes, UserError } from "../core/errors.ts";

/** A program beside the API server that it asks, and that failed: the API server itself is well. */
export interface HelperFailure {
  readonly kind: "admission-webhook" | "conversion-webhook" | "aggregated-api";
  /** As the API server calls it. */
  readonly name: string;
  readonly why: string;
}

/**
 * Reads the sentences in which every API server says that somebody it asks is down; `undefined`: it is about something else. A webhook
 * that answers and refuses is not down. Pure.
 */
export function helperFailure(message: string): HelperFailure | undefined {
  const admission = /failed calling webhook "([^"]+)"[:;]?\s*(.*)/s.exec(message);
  if (admission !== null) {
    return { kind: "admission-webhook", name: admission[1] ?? "", why: whyOf(admission[2]) };
  }
  const conversion = /conversion webhook for (.+?) failed: (.*)/s.exec(message);
  if (conversion !== null) {
    return { kind: "conversion-webhook", name: conversion[1] ?? "", why: whyOf(conversion[2]) };
  }
  const discovery = /unable to retrieve the complete list of server APIs: (\S+?): (.*)/s.exec(message);
  if (discovery === null) return undefined;
  return { kind: "aggregated-api", name: discovery[1] ?? "", why: whyOf(discovery[2]) };
}

/** Whether an answer with a status of 500 or more is that of a webhook, which refuses. Pure. */
export function isDenial(message: string): boolean {
  return /admission webhook "[^"]+" denied the request/.test(message);
}

/** The first line, without the address's query; the call's own words come first and say nothing more. */
function whyOf(text = ""): string {
  const [line = ""] = text.replace(/^failed to call webhook: /, "").split("\n");
  return line.replace(/(https?:\/\/[^\s"?]+)\?[^\s"]*/g, "$1").trim() || "no further details";
}

const called: Readonly<Record<HelperFailure["kind"], string>> = {
  "admission-webhook": "admission webhook",
  "conversion-webhook": "conversion webhook of",
  "aggregated-api": "API",
};

const codes: Readonly<Record<HelperFailure["kind"], string>> = {
  "admission-webhook": "admission-webhook-down",
  "conversion-webhook": "conversion-webhook-down",
  "aggregated-api": "aggregated-api-down",
};

const remedies: Readonly<Record<HelperFailure["kind"], string>> = {
  "admission-webhook":
    "The cluster is well, and lets nothing through that this webhook is to see. Bring its service back (`kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations` shows whose it is), or have it set to failurePolicy: Ignore; then run the command again.",
  "conversion-webhook":
    "The cluster is well, but objects of that kind cannot be read or written. Bring the service back that the CustomResourceDefinition names (spec.conversion); then run the command again.",
  "aggregated-api":
    "The cluster is well, but `kubectl get apiservices` shows one that is not available. Bring its service back, or delete the APIService if it is a leftover; then run the command again.",
};

/** The error for what somebody beside the API server kept from being done. `about` says what that was. */
export function helperDown(failure: HelperFailure, about: string, cause?: unknown): UserError {
  const { kind, name, why } = failure;
  return new UserError({
    code: codes[kind],
    message: `${about}: the ${called[kind]} "${name}", which the API server asks, failed: ${why}`,
    hint: remedies[kind],
    exitCode: exitCodes.failed,
    details: { name, why },
    ...(cause === undefined ? {} : { cause }),
  });
}
