import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** What BlueGreenModel makes of the same arguments, resource by resource, with nothing around it. */
const config = new pulumi.Config();
const namespace = config.require("namespace");

for (const [color, image] of [
  ["blue", config.require("blueImage")],
  ["green", config.require("greenImage")],
] as const) {
  const name = `fraud-${color}`;
  const labels = { app: "fraud", version: color };
  const service = new k8s.core.v1.Service(name, {
    metadata: { name, namespace, labels, annotations: { "pulumi.com/skipAwait": "true" } },
    spec: { selector: labels, ports: [{ name: "http", port: 80, targetPort: 8080 }] },
  });
  new k8s.apps.v1.Deployment(
    name,
    {
      metadata: { name, namespace, labels },
      spec: {
        replicas: 1,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            terminationGracePeriodSeconds: 45,
            containers: [
              {
                name: "model",
                image,
                imagePullPolicy: "Never",
                ports: [{ name: "http", containerPort: 8080 }],
                readinessProbe: {
                  httpGet: { path: "/v2/health/ready", port: "http" },
                  periodSeconds: 2,
                  timeoutSeconds: 2,
                  failureThreshold: 2,
                },
                lifecycle: { preStop: { sleep: { seconds: 10 } } },
              },
            ],
          },
        },
      },
    },
    { dependsOn: service },
  );
}

const ingress = new k8s.networking.v1.Ingress("fraud", {
  metadata: { name: "fraud", namespace },
  spec: {
    ingressClassName: "nginx",
    rules: [
      {
        host: config.require("host"),
        http: {
          paths: [
            {
              path: "/",
              pathType: "Prefix",
              backend: { service: { name: `fraud-${config.require("live")}`, port: { number: 80 } } },
            },
          ],
        },
      },
    ],
  },
});

export const endpoint = ingress.status.apply((status) => status?.loadBalancer?.ingress?.[0]?.ip);
