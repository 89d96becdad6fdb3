import type { ResourceTransformation } from "@pulumi/pulumi";

/** Kinds that Pulumi's provider waits for. */
const waitedFor = ["kubernetes:apps/v1:Deployment", "kubernetes:networking.k8s.io/v1:Ingress"];
/** A look is behind the write by a few seconds. */
const marginMs = 60_000;

/**
 * Lets the provider wait longer than the command, which watches what it waits for and knows why it is not ready. By itself the provider
 * gives up after ten minutes, whatever `deadlines.ready` says.
 */
export function providerPatience(readyMs: number): ResourceTransformation {
  const time = `${Math.ceil((readyMs + marginMs) / 1000)}s`;
  return ({ type, props, opts }) =>
    waitedFor.includes(type)
      ? { props, opts: { ...opts, customTimeouts: { create: time, update: time, ...opts.customTimeouts } } }
      : undefined;
}
