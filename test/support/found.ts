import type { FoundAutoscaler, Inventory } from "../../src/rollout/adoption/inventory.ts";

/** A Deployment, Service and Ingress as somebody deploys them by hand, and the pods that run. */
export function foundInventory(): Inventory {
  const labels = { app: "fraud", tier: "ml" };
  return {
    namespace: "ml",
    ingresses: [
      {
        metadata: {
          name: "fraud",
          uid: "i1",
          labels: { team: "risk" },
          annotations: {
            "nginx.ingress.kubernetes.io/proxy-body-size": "8m",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
          },
        },
        spec: {
          ingressClassName: "nginx",
          rules: [
            {
              host: "models.acme.io",
              http: {
                paths: [
                  {
                    path: "/",
                    pathType: "Prefix",
                    backend: { service: { name: "fraud-api", port: { name: "web" } } },
                  },
                ],
              },
            },
          ],
        },
      },
    ],
    services: [
      {
        metadata: { name: "fraud-api", uid: "s1" },
        spec: {
          type: "ClusterIP",
          clusterIP: "10.0.0.7",
          selector: { app: "fraud" },
          ports: [{ name: "web", port: 8000, targetPort: "web", protocol: "TCP" }],
        },
      },
    ],
    deployments: [
      {
        metadata: { name: "fraud-server", uid: "d1", generation: 3 },
        spec: {
          replicas: 2,
          selector: { matchLabels: labels },
          template: {
            metadata: { labels },
            spec: {
              restartPolicy: "Always",
              dnsPolicy: "ClusterFirst",
              schedulerName: "default-scheduler",
              securityContext: {},
              terminationGracePeriodSeconds: 30,
              containers: [
                {
                  name: "server",
                  image: "reg.io/fraud:7",
                  imagePullPolicy: "IfNotPresent",
                  env: [{ name: "LEVEL", value: "info" }],
                  ports: [
                    { name: "web", containerPort: 9000, protocol: "TCP" },
                    { name: "metrics", containerPort: 9090, protocol: "TCP" },
                  ],
                  resources: { requests: { cpu: "500m", memory: "1Gi" } },
                  readinessProbe: { httpGet: { path: "/ready", port: "web", scheme: "HTTP" } },
                },
              ],
            },
          },
        },
        status: { observedGeneration: 3, replicas: 2, updatedReplicas: 2, readyReplicas: 2 },
      },
    ],
    replicaSets: [
      {
        metadata: {
          name: "fraud-server-1",
          uid: "r1",
          ownerReferences: [{ kind: "Deployment", name: "fraud-server", uid: "d1" }],
        },
      },
    ],
    pods: ["a", "b"].map((name) => ({
      metadata: {
        name: `fraud-server-1-${name}`,
        uid: name,
        labels,
        ownerReferences: [{ kind: "ReplicaSet", name: "fraud-server-1", uid: "r1" }],
      },
      status: { containerStatuses: [{ name: "server", restartCount: 0 }] },
    })),
    autoscalers: [],
    everyIngress: [],
    controllers: { nginx: "k8s.io/ingress-nginx" },
  };
}

type Plain = { [key: string]: Plain };

/** The inventory with one value replaced, by a path such as `deployments.0.spec.replicas`; `undefined` removes it. */
export function changed(path: string, value: unknown, from: Inventory = foundInventory()): Inventory {
  const copy = structuredClone(from);
  const keys = path.split(".");
  let at = copy as unknown as Plain;
  for (const key of keys.slice(0, -1)) {
    at[key] ??= {};
    at = at[key] as Plain;
  }
  at[keys.at(-1) ?? ""] = value as Plain;
  return copy;
}

/** An autoscaler of the Deployment, with some of its spec replaced. */
export function foundScaler(changes: object = {}): FoundAutoscaler {
  return {
    metadata: { name: "scale", uid: "h1" },
    spec: {
      scaleTargetRef: { kind: "Deployment", name: "fraud-server" },
      minReplicas: 2,
      maxReplicas: 6,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 70 } },
        },
      ],
      ...changes,
    },
  };
}
