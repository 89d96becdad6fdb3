import { describe, expect, test } from "vitest";
import { normalize } from "./normalize.ts";
import { type PropertyMap, Unknown } from "./struct.ts";

const deployment = (container: PropertyMap, pod: PropertyMap = {}): PropertyMap => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "d" },
  spec: { template: { spec: { containers: [{ name: "m", ...container }], ...pod } } },
});

describe("normalize", () => {
  test("writes quantities as the API server gives them back", () => {
    const given = deployment({
      resources: { requests: { cpu: "0.5", memory: "1024Mi" }, limits: { cpu: 1 } },
    });
    const wanted = deployment({
      resources: { requests: { cpu: "500m", memory: "1Gi" }, limits: { cpu: "1" } },
    });
    expect(normalize(given)).toEqual(wanted);
  });

  test.each<[string, PropertyMap, PropertyMap]>([
    [
      "v1 LimitRange",
      { spec: { limits: [{ default: { cpu: "0.5" }, max: { memory: "1024Mi" } }] } },
      { spec: { limits: [{ default: { cpu: "500m" }, max: { memory: "1Gi" } }] } },
    ],
    [
      "autoscaling/v2 HorizontalPodAutoscaler",
      { spec: { metrics: [{ object: { target: { value: "1000m", averageValue: "0.5" } } }] } },
      { spec: { metrics: [{ object: { target: { value: "1", averageValue: "500m" } } }] } },
    ],
    [
      "node.k8s.io/v1 RuntimeClass",
      { overhead: { podFixed: { memory: "1024Ki" } } },
      { overhead: { podFixed: { memory: "1Mi" } } },
    ],
  ])("knows where %s has quantities", (of, given, wanted) => {
    const [apiVersion = "", kind = ""] = of.split(" ");
    expect(normalize({ apiVersion, kind, ...given })).toEqual({ apiVersion, kind, ...wanted });
  });

  test("leaves out what the API server drops because it is empty", () => {
    const given = deployment(
      {
        env: [{ name: "A", value: "" }],
        args: [],
        volumeMounts: [{ mountPath: "/m", name: "v", readOnly: false }],
      },
      { nodeSelector: {}, hostNetwork: false },
    );
    expect(normalize(given)).toEqual(
      deployment({ env: [{ name: "A" }], volumeMounts: [{ mountPath: "/m", name: "v" }] }),
    );
  });

  test("keeps empty values that mean something", () => {
    const kept = [
      deployment({}, { volumes: [{ name: "v", emptyDir: {} }], automountServiceAccountToken: false }),
      { apiVersion: "v1", kind: "ConfigMap", data: { labels: "", env: "" } },
      { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", spec: { podSelector: {} } },
      { apiVersion: "apps/v1", kind: "Deployment", spec: { replicas: 0 } },
      { apiVersion: "v1", kind: "Pod", metadata: { labels: { paused: "", tls: "" } } },
    ];
    for (const object of kept) expect(normalize(object)).toEqual(object);
  });

  test("leaves custom resources and what is not known yet alone", () => {
    const custom: PropertyMap = {
      apiVersion: "example.com/v1",
      kind: "Thing",
      spec: { limits: { cpu: "1000m" } },
    };
    expect(normalize(custom)).toEqual(custom);
    const open = deployment({ image: new Unknown(), resources: { limits: { cpu: "1000m" } } });
    expect(normalize(open)).toEqual(open);
  });

  test("takes stringData into data, over data of the same key", () => {
    const secret = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s", labels: {} },
      data: { a: "YQ==", b: "Yg==\n" },
      stringData: { a: "new" },
    };
    expect(normalize(secret)).toEqual({
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name: "s" },
      data: { a: "bmV3", b: "Yg==" },
    });
  });

  test("strips metadata that only the API server writes", () => {
    const object = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "c", uid: "u", resourceVersion: "1" },
    };
    expect(normalize(object).metadata).toEqual({ name: "c" });
  });
});
