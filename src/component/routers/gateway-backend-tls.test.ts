import { expect, test } from "vitest";
import { objectNames } from "../../core/names.ts";
import { backendTlsGround } from "./gateway-backend-tls.ts";
import type { ObservedObject } from "./router.ts";

const target = (name: string, more: object = {}) => ({ group: "", kind: "Service", name, ...more });
const both = [target("fraud-blue"), target("fraud-green")];

async function found(policy: ObservedObject | "unseen" | undefined) {
  const asked: string[] = [];
  const ground = await backendTlsGround(
    { namespace: "ml", names: objectNames("fraud") },
    async ({ kind }, name, namespace) => {
      asked.push(`${kind} ${namespace}/${name}`);
      return policy;
    },
  );
  expect(asked).toEqual(["BackendTLSPolicy ml/fraud"]);
  return ground;
}

test("a policy for the Services of both slots is enough, as long as the controller has not refused it", async () => {
  expect(await found({ spec: { targetRefs: both } })).toBeUndefined();
  const named = both.map((one) => ({ ...one, sectionName: "http" }));
  const conditions = [{ type: "Accepted", status: "True" }];
  expect(
    await found({ spec: { targetRefs: named }, status: { ancestors: [{ conditions }] } }),
  ).toBeUndefined();
});

test.each<[string, ObservedObject | "unseen" | undefined, string, string]>([
  ["that is not there", undefined, "backend-tls-missing", "no BackendTLSPolicy ml/fraud"],
  ["that nobody may look at", "unseen", "backend-tls-unseen", "may not look"],
  [
    "for one slot",
    { spec: { targetRefs: [target("fraud-blue")] } },
    "backend-tls-incomplete",
    "Service fraud-green",
  ],
  [
    "for another port",
    { spec: { targetRefs: both.map((one) => ({ ...one, sectionName: "grpc" })) } },
    "backend-tls-incomplete",
    "fraud-blue and fraud-green",
  ],
  [
    "that the controller refuses",
    {
      spec: { targetRefs: both },
      status: {
        ancestors: [{ conditions: [{ type: "Accepted", status: "False", message: "no ConfigMap ca" }] }],
      },
    },
    "backend-tls-refused",
    "no ConfigMap ca",
  ],
])("a policy %s is named", async (_what, policy, code, words) => {
  const ground = await found(policy);
  expect(ground).toMatchObject({ code, message: expect.stringContaining(words) });
});
