import { describe, expect, test } from "vitest";
import { type DiffRequest, diffObject, formatPath, parsePath } from "./diff.ts";
import { touches } from "./force-new.ts";
import { type PropertyMap, Unknown } from "./struct.ts";

const service = (spec: PropertyMap, metadata: PropertyMap = { name: "s", namespace: "n" }): PropertyMap => ({
  apiVersion: "v1",
  kind: "Service",
  metadata,
  spec,
});

function changes(inputs: PropertyMap, live: PropertyMap, news: PropertyMap, more: Partial<DiffRequest> = {}) {
  return diffObject({
    olds: { ...live, __inputs: inputs },
    news,
    ignoreChanges: [],
    namespaced: true,
    mutability: { configMapMutable: false, secretMutable: false },
    ...more,
  });
}

const kinds = (diff: ReturnType<typeof diffObject>) =>
  Object.fromEntries(
    [...diff.changes].map(([path, { kind, replaces }]) => [path, replaces ? `${kind}!` : kind]),
  );

describe("diffObject", () => {
  const inputs = service({ ports: [{ port: 80 }], selector: { app: "a" } });
  const live = service({
    ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
    selector: { app: "a" },
    clusterIP: "10.0.0.1",
  });

  test("defaults of the API server are no differences", () => {
    expect(kinds(changes(inputs, live, inputs))).toEqual({});
  });

  test("names what is added, changed and removed, element by element", () => {
    const news = service({ ports: [{ port: 81 }, { port: 82 }], type: "NodePort" });
    expect(kinds(changes(inputs, live, news))).toEqual({
      "spec.ports[0].port": "update",
      "spec.ports[1]": "add",
      "spec.type": "add",
      "spec.selector": "delete",
    });
  });

  test("drift that a refresh found shows against the inputs", () => {
    const drifted = service({ ports: [{ port: 80 }], selector: { app: "other" } });
    expect(kinds(changes(drifted, drifted, inputs))).toEqual({ "spec.selector.app": "update" });
  });

  test("a value that the API server dropped from the last write is not missing", () => {
    const odd = service({ ports: [{ port: 80, unknownField: "x" }], selector: { app: "a" } });
    expect(kinds(changes(odd, live, odd))).toEqual({});
  });

  test("an unknown value may be a change", () => {
    const news = service({
      ports: [{ port: new Unknown() }],
      selector: { app: "a" },
      externalName: new Unknown(),
    });
    expect(kinds(changes(inputs, live, news))).toEqual({
      "spec.ports[0].port": "update",
      "spec.externalName": "add",
    });
  });

  test("another name or namespace is another object", () => {
    const renamed = changes(inputs, live, service(inputs.spec as PropertyMap, { name: "t", namespace: "m" }));
    expect(kinds(renamed)).toEqual({ "metadata.name": "update!", "metadata.namespace": "update!" });
    expect(renamed.deleteBeforeReplace).toBe(false);
  });

  test("an immutable field replaces, and a fixed name means deleting first", () => {
    const replaced = changes(inputs, live, service({ ...(inputs.spec as PropertyMap), clusterIP: "None" }));
    expect(kinds(replaced)).toEqual({ "spec.clusterIP": "add!" });
    expect(replaced.replaces).toEqual(["spec.clusterIP"]);
    expect(replaced.deleteBeforeReplace).toBe(true);
  });

  test("ignored changes are none, with everything below them", () => {
    const news = service({ ports: [{ port: 81 }], selector: { app: "b" } });
    const only = (ignoreChanges: string[]) => kinds(changes(inputs, live, news, { ignoreChanges }));
    expect(only(["spec.ports"])).toEqual({ "spec.selector.app": "update" });
    expect(only(["spec.ports[*].port"])).toEqual({ "spec.selector.app": "update" });
    expect(only(["spec"])).toEqual({});
  });

  test("data of ConfigMaps and Secrets replaces unless the provider says that it may change", () => {
    const map = (a: string): PropertyMap => ({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", namespace: "n" },
      data: { a },
    });
    expect(kinds(changes(map("1"), map("1"), map("2")))).toEqual({ "data.a": "update!" });
    const mutability = { configMapMutable: true, secretMutable: false };
    expect(kinds(changes(map("1"), map("1"), map("2"), { mutability }))).toEqual({ "data.a": "update" });
  });
});

describe("property paths", () => {
  test.each([
    [["spec", "rules", 0, "host"], "spec.rules[0].host"],
    [["metadata", "annotations", "pulumi.com/skipAwait"], 'metadata.annotations["pulumi.com/skipAwait"]'],
    [["data", 'a"b.c'], 'data["a\\"b.c"]'],
  ])("%j is written %s", (path, written) => {
    expect(formatPath(path)).toBe(written);
    expect(parsePath(written)).toEqual(path);
  });
});

describe("touches", () => {
  test.each([
    [["spec", "selector", "matchLabels", "app"], "b", "spec.selector", true],
    [["spec"], { selector: {} }, "spec.selector", true],
    [["spec"], { replicas: 1 }, "spec.selector", false],
    [["spec", "containers", 0, "image"], "x", "spec.containers[*].image", true],
    [["spec", "containers", 0], { image: "x" }, "spec.containers[*].image", true],
    [["spec", "containers"], [{ image: "x" }], "spec.containers[*].image", true],
    [["spec", "replicas"], 2, "spec.selector", false],
  ] as const)("a change at %j to %j and %s: %s", (path, value, pattern, expected) => {
    expect(touches(path, value, pattern)).toBe(expected);
  });
});
