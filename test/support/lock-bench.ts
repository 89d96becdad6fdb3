import type { KubernetesObject } from "../../src/kubernetes/api.ts";
import type { Holder, LockOptions } from "../../src/rollout/lock/lease.ts";
import { FakeClock, FakeCluster, testNamespace } from "./rollout-bench.ts";

export const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${testNamespace}/leases/fraud-modelswitch`;
export const ada: Holder = { operator: "ada@laptop", host: "laptop", pid: 10, command: "switch green" };
export const bob: Holder = { operator: "bob@desk", host: "desk", pid: 20, command: "up" };

/** A Lease that somebody holds, and renewed then. */
export function leaseOf(holder: Holder, renewedAt: number): KubernetesObject {
  return {
    spec: {
      holderIdentity: JSON.stringify(holder),
      leaseDurationSeconds: 20,
      acquireTime: "2026-11-23T07:59:00.000000Z",
      renewTime: new Date(renewedAt).toISOString(),
    },
  };
}

/** Where the commands of several people want one lock. */
export class LockBench {
  readonly cluster = new FakeCluster();
  readonly clock = new FakeClock();

  options(holder: Holder, changes: Partial<LockOptions> = {}): LockOptions {
    return {
      api: this.cluster,
      namespace: testNamespace,
      model: "fraud",
      holder,
      clock: this.clock,
      events: () => undefined,
      isGone: () => false,
      signal: new AbortController().signal,
      ...changes,
    };
  }

  heldBy(holder: Holder, renewedAt: number): void {
    this.cluster.put(leasePath, leaseOf(holder, renewedAt));
  }
}
