import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { providerPatience } from "./provider-patience.ts";

class Model extends pulumi.ComponentResource {
  constructor(name: string, opts: pulumi.ComponentResourceOptions) {
    super("test:index:Model", name, {}, opts);
  }
}

test("the provider waits longer than the command for what it waits for, and as it likes for the rest", async () => {
  await pulumi.runtime.setMocks({
    call: (args) => args.inputs,
    newResource: (args) => ({ id: args.name, state: args.inputs }),
  });
  const patience = providerPatience(1_800_000);
  const given = (type: string) =>
    patience({ type, name: "x", props: {}, opts: {}, resource: new Model("x", {}) })?.opts;
  const longer = { customTimeouts: { create: "1860s", update: "1860s" } };
  expect(given("kubernetes:apps/v1:Deployment")).toEqual(longer);
  expect(given("kubernetes:networking.k8s.io/v1:Ingress")).toEqual(longer);
  expect(given("kubernetes:core/v1:Service")).toBeUndefined();
});
