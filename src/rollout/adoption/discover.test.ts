import { describe, expect, test } from "vitest";
import { changed, foundInventory, foundScaler as scaler } from "../../../test/support/found.ts";
import { UserError } from "../../core/errors.ts";
import { describeFound } from "./describe.ts";
import { discover } from "./discover.ts";
import type { Inventory } from "./inventory.ts";

/** What stands in the way, as the user reads it. */
function obstacles(inventory: Inventory, model = "fraud"): string {
  try {
    discover("fraud", model, inventory);
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
  return "";
}

describe("discover", () => {
  test("follows the Ingress to its Service, Deployment and pods, and named ports to their numbers", () => {
    const found = discover("fraud", "fraud", foundInventory());
    expect(found).toMatchObject({
      host: "models.acme.io",
      className: "nginx",
      canaries: true,
      servicePort: 8000,
      httpPort: 9000,
      selector: { app: "fraud" },
      otherSelector: { app: "fraud-green", version: "green" },
    });
    expect(found.service.metadata?.name).toBe("fraud-api");
    expect(found.deployment.metadata?.name).toBe("fraud-server");
    expect(found.pods).toHaveLength(2);
  });

  test("the class may be named by the annotation, and several hosts and paths may lead to the Service", () => {
    const [rule] = foundInventory().ingresses[0]?.spec?.rules ?? [];
    const [path] = rule?.http?.paths ?? [];
    const inventory = changed(
      "ingresses.0.spec",
      {
        rules: [
          { ...rule, http: { paths: [path, { ...path, path: "/old", pathType: "Exact" }] } },
          { ...rule, host: "fraud.acme.io" },
        ],
      },
      changed("ingresses.0.metadata.annotations", { "kubernetes.io/ingress.class": "public", keep: "me" }),
    );
    const found = discover("fraud", "fraud", inventory);
    expect(found).toMatchObject({ className: "public", classAnnotation: true });
    expect(describeFound(found, "fraud").ingress).toEqual({
      name: "fraud",
      className: "public",
      classAnnotation: true,
      host: "models.acme.io",
      also: [{ host: "models.acme.io", path: "/old", pathType: "Exact" }, { host: "fraud.acme.io" }],
      annotations: { keep: "me" },
    });
  });

  test("says that clients of the Service itself stay on blue", () => {
    const found = discover("fraud", "fraud", foundInventory());
    expect(found.warnings).toEqual([expect.stringContaining("use the Service fraud-api itself")]);
  });

  test("an unknown Ingress is named, and so are those that there are", () => {
    expect(() => discover("spam", "spam", foundInventory())).toThrow('no Ingress "spam"');
  });

  const rules = "ingresses.0.spec.rules";
  const other = { path: "/web", pathType: "Prefix", backend: { service: { name: "web" } } };
  test.each<[string, Inventory, string, string?]>([
    ["no rules", changed(rules, []), "has no path"],
    [
      "a second path",
      changed(`${rules}.0.http.paths.1`, other),
      "has 2 paths that lead to different things (models.acme.io/ to fraud-api, models.acme.io/web to web)",
    ],
    ["no host", changed(`${rules}.0.host`, undefined), "names no host"],
    ["a wildcard host", changed(`${rules}.0.host`, "*.acme.io"), "the host of the Ingress fraud"],
    [
      "a default backend",
      changed("ingresses.0.spec.defaultBackend", { service: {} }),
      "has a default backend",
    ],
    ["no class", changed("ingresses.0.spec.ingressClassName", undefined), "names no class"],
    [
      "two ways to name the class",
      changed("ingresses.0.metadata.annotations", { "kubernetes.io/ingress.class": "other" }),
      "names its class twice, nginx and by the annotation kubernetes.io/ingress.class other",
    ],
    [
      "a second host that is a pattern",
      changed(`${rules}.1`, { ...foundInventory().ingresses[0]?.spec?.rules?.[0], host: "*.acme.io" }),
      "the host of the Ingress fraud",
    ],
    [
      "itself a canary",
      changed("ingresses.0.metadata.annotations", { "nginx.ingress.kubernetes.io/canary": "true" }),
      "is the canary of another Ingress",
    ],
    [
      "a canary beside it",
      changed("ingresses.1", {
        metadata: { name: "try", annotations: { "nginx.ingress.kubernetes.io/canary": "true" } },
        spec: { rules: [{ host: "models.acme.io", http: { paths: [{ path: "/" }] } }] },
      }),
      "the Ingress try is a canary of fraud already",
    ],
    [
      "no Service",
      changed(`${rules}.0.http.paths.0.backend`, { resource: {} }),
      "something that is no Service",
    ],
    ["a Service that is gone", changed("services", []), "the Service fraud-api, which the Ingress leads to"],
    ["a headless Service", changed("services.0.spec.clusterIP", "None"), "fraud-api is headless"],
    ["an external Service", changed("services.0.spec.type", "ExternalName"), "is another name for"],
    ["a Service without a selector", changed("services.0.spec.selector", {}), "selects no pods"],
    [
      "a port that is not there",
      changed(`${rules}.0.http.paths.0.backend.service.port`, { number: 81 }),
      "asks for the port 81 of the Service fraud-api, which has web 8000",
    ],
    [
      "a target port that no container has",
      changed("services.0.spec.ports.0.targetPort", "http"),
      'sends to the port "http", which no container',
    ],
    [
      "no Deployment",
      changed("deployments", [], changed("pods.0.metadata.ownerReferences.0.kind", "StatefulSet")),
      "they come from StatefulSet fraud-server-1",
    ],
    [
      "two Deployments",
      changed("deployments.1", { ...foundInventory().deployments[0], metadata: { name: "spare" } }),
      "pods of 2 Deployments (fraud-server, spare)",
    ],
    [
      "a pod that is somebody else's",
      changed("pods.1.metadata.ownerReferences", []),
      "not of the Deployment fraud-server: fraud-server-1-b",
    ],
    ["a rollout in progress", changed("deployments.0.status.updatedReplicas", 1), "is not settled"],
    ["a paused Deployment", changed("deployments.0.spec.paused", true), "is paused"],
    ["no replicas", changed("deployments.0.spec.replicas", 0), "has 0 replicas"],
    [
      "matchExpressions",
      changed("deployments.0.spec.selector.matchExpressions", [{ key: "a", operator: "Exists" }]),
      "by matchExpressions",
    ],
    [
      "two autoscalers",
      changed("autoscalers", [scaler(), { ...scaler(), metadata: { name: "more" } }]),
      "2 HorizontalPodAutoscalers (scale, more) set the replicas of fraud-server",
    ],
    ["an autoscaler down to 0", changed("autoscalers.0", scaler({ minReplicas: 0 })), "spec.minReplicas 0"],
    [
      "an autoscaler by a container that later releases do not have",
      changed(
        "autoscalers.0",
        scaler({
          metrics: [
            {
              type: "ContainerResource",
              containerResource: {
                name: "cpu",
                container: "server",
                target: { type: "Utilization", averageUtilization: 70 },
              },
            },
          ],
        }),
      ),
      "spec.metrics[0].containerResource.container",
    ],
    [
      "an autoscaler by what the pods do not request",
      changed(
        "deployments.0.spec.template.spec.containers.0.resources",
        {},
        changed("autoscalers.0", scaler()),
      ),
      "aims at 70 % of the requested cpu (spec.metrics[0].resource), which the containers server",
    ],
    [
      "an autoscaler with a field of a later Kubernetes",
      changed("autoscalers.0", scaler({ tolerance: "1" })),
      "has spec.tolerance, which the configuration cannot say",
    ],
    [
      "an autoscaler that is KEDA's",
      changed("autoscalers.0", {
        ...scaler(),
        metadata: { name: "scale", ownerReferences: [{ kind: "ScaledObject", name: "fraud", uid: "k" }] },
      }),
      "the HorizontalPodAutoscaler scale is made by the ScaledObject fraud",
    ],
    [
      "an operator",
      changed("deployments.0.metadata.ownerReferences", [{ kind: "InferenceService", name: "f", uid: "x" }]),
      "made by the InferenceService f",
    ],
    [
      "Argo CD",
      changed("services.0.metadata.annotations", { "argocd.argoproj.io/tracking-id": "shop:v1/Service:a" }),
      "belongs to the Argo CD application shop",
    ],
    [
      "Flux",
      changed("deployments.0.metadata.labels", { "kustomize.toolkit.fluxcd.io/name": "apps" }),
      "belongs to the Flux object apps",
    ],
    [
      "modelswitch itself",
      changed("services.0.metadata.labels", {
        "app.kubernetes.io/managed-by": "modelswitch",
        "app.kubernetes.io/instance": "spam",
      }),
      "part of the model spam",
    ],
    [
      "a name that is taken",
      changed("services.1", { metadata: { name: "fraud-green" } }),
      "there is a Service fraud-green already",
    ],
  ])("refuses %s", (_what, inventory, part) => {
    expect(obstacles(inventory)).toContain(part);
  });

  test("tells everything that is in the way at once", () => {
    const inventory = changed("deployments.0.spec.paused", true, changed("services.0.spec.ports", []));
    const message = obstacles(inventory);
    expect(message).toContain("is paused");
    expect(message).toContain("asks for the port web");
  });

  test("Helm and other Pulumi programs are a warning: they write only when somebody uses them", () => {
    const helm = changed("deployments.0.metadata.annotations", { "meta.helm.sh/release-name": "prod" });
    expect(discover("fraud", "fraud", helm).warnings.join()).toContain("the Helm release prod");
    const pulumi = changed("services.0.metadata.managedFields", [{ manager: "pulumi-kubernetes-1a2b" }]);
    expect(discover("fraud", "fraud", pulumi).warnings.join()).toContain("written by a Pulumi program");
  });

  test("other Services of the same pods, and other ports, are told", () => {
    const inventory = changed(
      "services.1",
      { metadata: { name: "metrics" }, spec: { selector: { tier: "ml" } } },
      changed("services.0.spec.ports.1", { name: "grpc", port: 81 }),
    );
    const text = discover("fraud", "fraud", inventory).warnings.join("\n");
    expect(text).toContain("the Service metrics selects the same pods");
  });

  test("a controller that reads no canary annotations gets the plain router", () => {
    const inventory = changed("controllers.nginx", "haproxy.org/ingress-controller");
    const found = discover("fraud", "fraud", inventory);
    expect(found.canaries).toBe(false);
    expect(found.warnings.join()).toContain('the router "plain" is used');
  });
});
