import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();

/** The environment that gets all traffic. Changing this one value and running again is the switch. */
const live = config.get("live") ?? "blue";
if (live !== "blue" && live !== "green")
  throw new pulumi.RunError(`live is "${live}", but must be blue or green.`);

const host = config.get("host") ?? "mlmodels.example.com";
const ingressClass = config.get("ingressClass") ?? "nginx";
const blueSelector = config.getObject<Record<string, string>>("blueSelector") ?? {
  app: "ml-model",
  version: "blue",
};
const greenSelector = config.getObject<Record<string, string>>("greenSelector") ?? {
  app: "ml-model",
  version: "green",
};

// Use an existing Kubernetes cluster: the one of `kubernetes:kubeconfig`, else the one that kubectl uses.
// Read as a secret, since a kubeconfig holds credentials that must not stand in the state in clear.
const kubernetes = new pulumi.Config("kubernetes");
const kubeconfig = kubernetes.getSecret("kubeconfig");
const context = kubernetes.get("context");
const namespace = kubernetes.get("namespace");
const provider = new k8s.Provider("provider", {
  ...(kubeconfig === undefined ? {} : { kubeconfig }),
  ...(context === undefined ? {} : { context }),
  ...(namespace === undefined ? {} : { namespace }),
});

// The Blue version of our ML model service
const blueService = new k8s.core.v1.Service(
  "blue-service",
  {
    spec: {
      selector: blueSelector,
      ports: [{ port: 80, targetPort: 8080 }],
    },
  },
  { provider },
);

// The Green version of our ML model service
const greenService = new k8s.core.v1.Service(
  "green-service",
  {
    spec: {
      selector: greenSelector,
      ports: [{ port: 80, targetPort: 8080 }],
    },
  },
  { provider },
);

// The Ingress routes everything to the live service
const liveService = live === "blue" ? blueService : greenService;
const ingress = new k8s.networking.v1.Ingress(
  "ml-model-ingress",
  {
    metadata: {
      annotations: {
        // Beside the class below, as in the original: API servers since 1.27 take both where they are equal, older ones refuse
        // that, and need this line removed. Other annotations of your controller go here, too.
        "kubernetes.io/ingress.class": ingressClass,
      },
    },
    spec: {
      ingressClassName: ingressClass,
      // The original passes an HTTPIngressRuleValue and one HTTPIngressPath. A rule is an IngressRule, whose `http` has a
      // list of paths, and the backend's port is a ServiceBackendPort.
      rules: [
        {
          host,
          http: {
            paths: [
              {
                path: "/",
                pathType: "Prefix",
                backend: {
                  service: {
                    name: liveService.metadata.name,
                    port: { number: 80 },
                  },
                },
              },
            ],
          },
        },
      ],
    },
  },
  { provider },
);

/**
 * The Ingress's endpoint. The original reads `status.load_balancer.ingress[0].hostname`, which fails where there is no status
 * yet, and is nothing where the controller publishes an IP address.
 */
export const ingress_endpoint = ingress.status.apply((status) => {
  const address = status?.loadBalancer?.ingress?.[0];
  return address?.hostname ?? address?.ip;
});
