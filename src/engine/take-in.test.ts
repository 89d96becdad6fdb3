import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { StateResource } from "./state-file.ts";
import { takenIn } from "./take-in.ts";

const about = { project: "modelswitch-fraud", stack: "ml" };
const parent = { type: "modelswitch:index:BlueGreenModel", name: "fraud" };
const serviceType = "kubernetes:core/v1:Service";

const owner = (manager: string, fields: object, operation = "Update") => ({
  manager,
  operation,
  fieldsV1: fields,
});

const spec = {
  "f:spec": {
    "f:selector": {},
    "f:ports": { ".": {}, 'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {} } },
  },
};

const service = (managedFields: readonly unknown[], name = "fraud-blue") => ({
  type: serviceType,
  name,
  live: {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "ml", uid: "1", managedFields },
    spec: {
      clusterIP: "10.0.0.1",
      selector: { app: "fraud", version: "blue" },
      ports: [{ port: 80, protocol: "TCP" }],
    },
  },
});

interface Written {
  readonly deployment: {
    readonly resources: readonly (StateResource & { readonly parent?: string; readonly provider?: string })[];
  };
}

const take = (exported: object, objects: Parameters<typeof takenIn>[2]["objects"]) => {
  const { state, urns } = takenIn(JSON.stringify(exported), about, { parent, objects });
  return { resources: (JSON.parse(state) as Written).deployment.resources, urns };
};

describe("taking objects into a state", () => {
  const empty = { version: 3, deployment: { manifest: {} } };
  const urn = `urn:pulumi:ml::modelswitch-fraud::${parent.type}$${serviceType}::fraud-blue`;

  test("an empty one gets the stack, a provider, the component and the objects, parents first", () => {
    const { resources, urns } = take(empty, [service([owner("pulumi-kubernetes", spec)])]);
    expect(resources.map(({ type }) => type)).toEqual([
      "pulumi:pulumi:Stack",
      "pulumi:providers:kubernetes",
      parent.type,
      serviceType,
    ]);
    expect(urns).toEqual([urn]);
    const [, provider, component, taken] = resources;
    expect(taken).toMatchObject({
      urn,
      id: "ml/fraud-blue",
      parent: component?.urn,
      provider: `${provider?.urn}::${provider?.id}`,
    });
  });

  test("declared is what Pulumi has written: an address that the API server gave never becomes an input", () => {
    const { resources } = take(empty, [
      service([owner("pulumi-kubernetes", spec), owner("other", { "f:spec": { "f:clusterIP": {} } })]),
    ]);
    const inputs = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { name: "fraud-blue", namespace: "ml" },
      spec: { selector: { app: "fraud", version: "blue" }, ports: [{ port: 80 }] },
    };
    expect(resources.at(-1)?.inputs).toEqual(inputs);
    expect(resources.at(-1)?.outputs).toMatchObject({ __inputs: inputs, __initialApiVersion: "v1" });
  });

  test("an object without any notes of its owners keeps its selector, whose absence would be a replacement", () => {
    expect(take(empty, [service([])]).resources.at(-1)?.inputs).toMatchObject({
      spec: { selector: { app: "fraud", version: "blue" } },
    });
  });

  test("the field manager of the lost state goes on", () => {
    const managers = [owner("pulumi-kubernetes-aaaaaaaa", spec, "Apply"), owner("kubectl", {}, "Apply")];
    expect(take(empty, [service(managers)]).resources.at(-1)?.outputs).toMatchObject({
      __fieldManager: "pulumi-kubernetes-aaaaaaaa",
    });
  });

  test("a state that knows some of it gets the rest only, below what is there", () => {
    const fixture = join(import.meta.dirname, "../../test/fixtures/upgrades/0.1.0/stack.json");
    const { checkpoint } = JSON.parse(readFileSync(fixture, "utf8")) as {
      checkpoint: { latest: { resources: StateResource[] } };
    };
    const all = checkpoint.latest.resources;
    const [stack] = all[0]?.urn.split("::")[0]?.split(":").slice(-1) ?? [];
    const lost = all.find(({ type, id }) => type === serviceType && id?.endsWith("fraud-blue"));
    const { state, urns } = takenIn(
      JSON.stringify({ version: 3, deployment: { resources: all.filter((one) => one !== lost) } }),
      { ...about, stack: stack ?? "" },
      { parent, objects: [service([]), service([], "fraud-green")] },
    );
    const { resources } = (JSON.parse(state) as Written).deployment;
    expect(urns).toEqual([lost?.urn]);
    expect(resources).toHaveLength(all.length);
    expect(resources.at(-1)?.provider).toMatch(/::default_4_34_2::47de03b0/);
  });
});
