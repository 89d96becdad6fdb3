import type { ObjectKind } from "../../core/object-kind.ts";
import type { Groundless, Look } from "./router.ts";

const namespaceKind: ObjectKind = { group: "", version: "v1", kind: "Namespace", plural: "namespaces" };
const injected = "elbv2.k8s.aws/pod-readiness-gate-inject";

/**
 * A pod is ready for Kubernetes before the load balancer has found it healthy, and sends it anything. The controller's readiness gate makes the two
 * one; it is put into pods when they are made, where their namespace says so. What may not be looked at is taken to be right.
 */
export async function albGround(namespace: string, look: Look): Promise<Groundless | undefined> {
  const found = await look(namespaceKind, namespace, undefined);
  // One that is not there yet is no reason to hold up what makes it known.
  if (found === "unseen" || found === undefined) return undefined;
  if (found.metadata?.labels?.[injected] === "enabled") return undefined;
  return {
    code: "alb-readiness-gate-missing",
    message: `The namespace ${namespace} lacks the label ${injected}: enabled, so pods would count as ready before the load balancer sends them requests, and a switch to them would lose some.`,
    hint: `kubectl label namespace ${namespace} ${injected}=enabled`,
  };
}
