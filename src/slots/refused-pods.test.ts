import { describe, expect, test } from "vitest";
import { isFinalRefusal } from "./refused-pods.ts";

const quota = (requested: string, limited: string) =>
  `pods "fraud-green-5d-x" is forbidden: exceeded quota: team, requested: ${requested}, used: pods=5, limited: ${limited}`;

describe("a refusal is final", () => {
  test.each([
    'pods "x" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false',
    'pods "x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
    'pods "x" is forbidden: cpu max limit to request ratio per Container is 2, but provided ratio is 4',
    'pods "x" is forbidden: failed quota: team: must specify limits.memory for: model',
    'admission webhook "images.example.com" denied the request: only our registry',
    "pods \"x\" is forbidden: ValidatingAdmissionPolicy 'p' with binding 'b' denied request: no latest",
    'Pod "x" is invalid: spec.containers[0].resources.requests: Invalid value: "2"',
    'pods "x" is forbidden: unable to validate against any security context constraint: [provider restricted]',
    'pods "x" is forbidden: unable to create new content in namespace ml because it is being terminated',
  ])("%s", (message) => {
    expect(isFinalRefusal(message, 2)).toBe(true);
  });

  test("where one pod, or all of the slot's together, ask for more than there is at all", () => {
    expect(isFinalRefusal(quota("limits.memory=3Gi", "limits.memory=2Gi"), 1)).toBe(true);
    expect(isFinalRefusal(quota("pods=1", "pods=5"), 6)).toBe(true);
    expect(
      isFinalRefusal(
        quota("requests.cpu=500m,requests.memory=1Gi", "requests.cpu=2,requests.memory=1500Mi"),
        2,
      ),
    ).toBe(true);
  });
});

describe("waiting makes sense", () => {
  test("where a quota is only used up now", () => {
    expect(isFinalRefusal(quota("pods=1", "pods=5"), 2)).toBe(false);
    expect(isFinalRefusal(quota("requests.cpu=500m", "requests.cpu=2"), 4)).toBe(false);
  });

  test.each([
    'Internal error occurred: failed calling webhook "x": Post "https://y": no endpoints available for service "y"',
    'pods "x" is forbidden: error looking up service account ml/serving: serviceaccount "serving" not found',
    'pods "x" is forbidden: no PriorityClass with name gold was found',
    "etcdserver: request timed out",
    "Timeout: request did not complete within requested timeout - context deadline exceeded",
  ])("%s", (message) => {
    expect(isFinalRefusal(message, 2)).toBe(false);
  });
});
