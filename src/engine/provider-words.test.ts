import { describe, expect, test } from "vitest";
import { inOurWords, unreadyReasons } from "./provider-words.ts";

const conflict = (owners: string) =>
  `1 error occurred:
	* the Kubernetes API server reported that "ml/fraud-green" failed to fully initialize or become live: Server-Side Apply field conflict detected. See https://www.pulumi.com/registry for troubleshooting help.
The resource managed by field manager "pulumi-kubernetes-3b1afe8b" had an apply conflict: ${owners}

`;

describe("a conflict of ownership", () => {
  test.each([
    [
      "of one field",
      'Apply failed with 1 conflict: conflict with "gitops": .spec.template.spec.terminationGracePeriodSeconds',
      'spec.template.spec.terminationGracePeriodSeconds belongs to "gitops"',
    ],
    [
      "with somebody who updates",
      'Apply failed with 1 conflict: conflict with "kubectl-edit" using apps/v1 at 2026-11-30T03:20:00Z: .spec.replicas',
      'spec.replicas belongs to "kubectl-edit"',
    ],
    [
      "of several fields and owners",
      `Apply failed with 3 conflicts: conflicts with "gitops":
- .spec.replicas
- .spec.template.spec.containers[name="model"].image
conflict with "hpa" using autoscaling/v2: .metadata.labels.team`,
      'spec.replicas belongs to "gitops"; spec.template.spec.containers[name="model"].image belongs to "gitops"; metadata.labels.team belongs to "hpa"',
    ],
  ])("%s names field and owner", (_, said, expected) => {
    const message = inOurWords(conflict(said));
    expect(message).toContain(`declares: ${expected} (this program applies as "pulumi-kubernetes-3b1afe8b")`);
    expect(message).toContain("pulumi.com/patchForce");
    expect(message).not.toContain("registry");
  });
});

test.each([
  [
    'resource "urn:pulumi:dev::p::kubernetes:core/v1:Service::s" was not successfully created by the Kubernetes API server: Service "s" is invalid: spec.ports: Required value',
    'Service "s" is invalid: spec.ports: Required value',
  ],
  [
    'update of resource "urn:pulumi:dev::p::kubernetes:apps/v1:Deployment::d" failed: deployments.apps "d" not found',
    'deployments.apps "d" not found',
  ],
  ["2 errors occurred:\n\t* one\n\t* two\n", "2 errors occurred:\n\t* one\n\t* two\n"],
  ["anything else", "anything else"],
  ["Waiting for app ReplicaSet to be available (0/1 Pods available)", "0 of 1 replicas ready"],
  ["Skipping await logic", ""],
])("what every message repeats is left out", (said, expected) => {
  expect(inOurWords(said)).toBe(expected);
});

describe("a wait that ended in vain", () => {
  const noImage =
    '[Pod noimage-x]: containers with unready status: [m][ErrImagePull] failed to pull "localhost/absent:9"';

  test.each([
    [
      "of what was created",
      `3 errors occurred:
	* resource "urn:pulumi:dev::exp::kubernetes:apps/v1:Deployment::noimage" was successfully created, but the Kubernetes API server reported that it failed to fully initialize or become live: 'noimage' timed out waiting to be Ready
	* Minimum number of live Pods was not attained
	* ${noImage}

`,
      'it did not become ready in time; pod noimage-x, container m: ErrImagePull: failed to pull "localhost/absent:9"',
    ],
    [
      "of what was changed, with nothing to say",
      `3 errors occurred:
	* the Kubernetes API server reported that "default/big" failed to fully initialize or become live: 'big' timed out waiting to be Ready
	* [MinimumReplicasUnavailable] Deployment does not have minimum availability.
	* Minimum number of live Pods was not attained`,
      "it did not become ready in time; [MinimumReplicasUnavailable] Deployment does not have minimum availability.; Minimum number of live Pods was not attained",
    ],
    [
      "of what a refresh saw",
      "1 error occurred:\n\t* Resource 'big' was created but failed to initialize",
      "it did not become ready in time",
    ],
  ])("%s", (_, said, expected) => {
    expect(unreadyReasons(said)).toBeDefined();
    expect(inOurWords(said)).toBe(expected);
  });

  test("what it sees meanwhile is said in the same words", () => {
    expect(inOurWords(noImage)).toBe(
      'pod noimage-x, container m: ErrImagePull: failed to pull "localhost/absent:9"',
    );
  });

  test("other failures are none", () => {
    expect(unreadyReasons('deployments.apps "d" not found')).toBeUndefined();
    expect(unreadyReasons("2 errors occurred:\n\t* one\n\t* two\n")).toBeUndefined();
  });
});
