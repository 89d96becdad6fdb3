import * as kubernetes from "@pulumi/kubernetes";

const asleep = { "pulumi.com/skipAwait": "true" };

/** Values spelled as people spell them; the API server gives many back in other words, or not at all when they are empty. */
function podSpec(restartPolicy = "Always") {
  return {
    restartPolicy,
    nodeSelector: { nowhere: "here" },
    hostNetwork: false,
    securityContext: {},
    tolerations: [{ operator: "Exists" }],
    imagePullSecrets: [],
    terminationGracePeriodSeconds: 5,
    initContainers: [],
    containers: [
      {
        name: "c",
        image: "localhost/none:1",
        imagePullPolicy: "Never",
        args: [],
        env: [
          { name: "EMPTY", value: "" },
          { name: "NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
          { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1" } } },
        ],
        ports: [{ name: "http", containerPort: 8080 }],
        resources: {
          limits: { cpu: "1000m", memory: "1024Mi" },
          requests: { cpu: "0.5", memory: "1e6" },
        },
        readinessProbe: { httpGet: { path: "/", port: "http" }, initialDelaySeconds: 0 },
        livenessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 10 },
        lifecycle: { preStop: { exec: { command: ["sleep", "1"] } } },
        volumeMounts: [
          { name: "scratch", mountPath: "/scratch", readOnly: false },
          { name: "config", mountPath: "/config", subPath: "" },
        ],
        securityContext: { runAsNonRoot: true, capabilities: { drop: ["ALL"] } },
      },
    ],
    volumes: [
      { name: "scratch", emptyDir: { sizeLimit: "2048Mi" } },
      { name: "config", configMap: { name: "none", items: [{ key: "a", path: "a" }], defaultMode: 420 } },
      { name: "more", projected: { sources: [{ secret: { name: "none" } }] } },
      { name: "plain", emptyDir: {} },
    ],
    topologySpreadConstraints: [
      {
        maxSkew: 1,
        topologyKey: "kubernetes.io/hostname",
        whenUnsatisfiable: "ScheduleAnyway",
        labelSelector: { matchLabels: { app: "zoo" } },
      },
    ],
    affinity: {
      podAntiAffinity: {
        preferredDuringSchedulingIgnoredDuringExecution: [
          {
            weight: 1,
            podAffinityTerm: {
              topologyKey: "zone",
              labelSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["zoo"] }] },
            },
          },
        ],
      },
    },
  };
}

/** Declares one object of each kind that Kubernetes itself has: 34, in a namespace that there is. */
export function declareZoo(namespace: string): void {
  const { apps, autoscaling, batch, core, discovery, networking, node, policy, rbac, scheduling, storage } =
    kubernetes;
  const { admissionregistration, coordination } = kubernetes;
  const metadata = { namespace, labels: {}, annotations: {} };
  const still = { namespace, annotations: asleep };
  const labels = { app: "zoo" };
  const selector = { matchLabels: labels };
  const template = { metadata: { labels }, spec: podSpec() };

  new apps.v1.Deployment("deployment", {
    metadata: still,
    spec: {
      replicas: 0,
      minReadySeconds: 0,
      revisionHistoryLimit: 3,
      strategy: { type: "RollingUpdate", rollingUpdate: { maxSurge: "25%", maxUnavailable: 0 } },
      selector,
      template,
    },
  });
  new apps.v1.ReplicaSet("replica-set", { metadata: still, spec: { replicas: 0, selector, template } });
  new apps.v1.DaemonSet("daemon-set", { metadata: still, spec: { selector, template } });
  new apps.v1.StatefulSet("stateful-set", {
    metadata: still,
    spec: {
      replicas: 0,
      serviceName: "zoo",
      selector,
      template,
      volumeClaimTemplates: [
        {
          metadata: { name: "scratch" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1024Mi" } } },
        },
      ],
    },
  });
  const job = { suspend: true, backoffLimit: 0, template: { ...template, spec: podSpec("Never") } };
  new batch.v1.Job("job", { metadata: still, spec: job });
  new batch.v1.CronJob("cron-job", {
    metadata,
    spec: { schedule: "0 0 1 1 *", suspend: true, jobTemplate: { spec: job } },
  });
  // Of a label of its own: the controllers here would take it for one too many and delete it.
  new core.v1.Pod("pod", { metadata: { ...still, labels: { app: "alone" } }, spec: podSpec() });
  new core.v1.ReplicationController("controller", {
    metadata: still,
    spec: { replicas: 0, selector: labels, template },
  });
  new core.v1.PodTemplate("template", { metadata, template });
  new core.v1.ConfigMap("config", { metadata, data: {}, binaryData: { b: "AAEC" } });
  new core.v1.Secret("secret", { metadata, data: { a: "aGVs\nbG8=" }, stringData: { b: "x", c: "" } });
  new core.v1.ServiceAccount("account", {
    metadata,
    imagePullSecrets: [{ name: "none" }],
    automountServiceAccountToken: false,
  });
  new core.v1.Service("service", {
    metadata,
    spec: {
      type: "NodePort",
      selector: { app: "nothing" },
      ports: [{ name: "http", port: 80, targetPort: "http", protocol: "TCP" }],
      sessionAffinity: "ClientIP",
      externalIPs: [],
      publishNotReadyAddresses: false,
    },
  });
  new core.v1.Service("alias", { metadata, spec: { type: "ExternalName", externalName: "example.com" } });
  new core.v1.LimitRange("limits", {
    metadata,
    spec: {
      limits: [
        {
          type: "Container",
          default: { cpu: "0.5", memory: "1024Mi" },
          defaultRequest: { cpu: "0.1" },
          max: { memory: "4096Mi" },
          min: { cpu: "1m" },
        },
      ],
    },
  });
  new core.v1.ResourceQuota("quota", { metadata, spec: { hard: { "limits.cpu": "2000m", pods: "0050" } } });
  new core.v1.PersistentVolume("volume", {
    metadata: { labels: {} },
    spec: {
      capacity: { storage: "1024Mi" },
      accessModes: ["ReadWriteOnce"],
      storageClassName: "none",
      hostPath: { path: "/nowhere" },
      persistentVolumeReclaimPolicy: "Retain",
    },
  });
  new core.v1.PersistentVolumeClaim("claim", {
    metadata: still,
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "nowhere",
      resources: { requests: { storage: "0.5Gi" } },
    },
  });
  new core.v1.Namespace("namespace", { metadata: { labels: { team: "zoo" } } });
  new autoscaling.v2.HorizontalPodAutoscaler("autoscaler", {
    metadata,
    spec: {
      minReplicas: 1,
      maxReplicas: 2,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "nothing" },
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "AverageValue", averageValue: "0.5" } },
        },
        {
          type: "Object",
          object: {
            metric: { name: "requests" },
            describedObject: { apiVersion: "v1", kind: "Service", name: "nothing" },
            target: { type: "Value", value: "1000m" },
          },
        },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 0 } },
    },
  });
  new policy.v1.PodDisruptionBudget("budget", { metadata, spec: { minAvailable: "50%", selector } });
  new networking.v1.NetworkPolicy("policy", {
    metadata,
    spec: {
      podSelector: {},
      policyTypes: ["Ingress"],
      ingress: [{}, { from: [{ namespaceSelector: {} }], ports: [{ port: "http" }] }],
    },
  });
  new networking.v1.Ingress("ingress", {
    metadata: still,
    spec: {
      ingressClassName: "nowhere",
      defaultBackend: { service: { name: "nothing", port: { name: "http" } } },
      tls: [{ hosts: ["zoo.example.com"], secretName: "none" }],
      rules: [],
    },
  });
  new networking.v1.IngressClass("class", { spec: { controller: "example.com/none" } });
  new discovery.v1.EndpointSlice("slice", {
    metadata,
    addressType: "IPv4",
    endpoints: [{ addresses: ["192.0.2.1"], conditions: {} }],
    ports: [{ name: "", port: 80 }],
  });
  new coordination.v1.Lease("lease", { metadata, spec: { holderIdentity: "me", leaseDurationSeconds: 15 } });
  const rules = [{ apiGroups: [""], resources: ["pods"], resourceNames: [], verbs: ["get"] }];
  const role = new rbac.v1.Role("role", { metadata, rules });
  const apiGroup = "rbac.authorization.k8s.io";
  new rbac.v1.RoleBinding("role-binding", {
    metadata,
    roleRef: { apiGroup, kind: "Role", name: role.metadata.name },
    subjects: [{ kind: "User", name: "somebody" }],
  });
  new rbac.v1.ClusterRole("cluster-role", {
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { zoo: namespace } }] },
    rules: [],
  });
  new scheduling.v1.PriorityClass("priority", { value: 0, globalDefault: false, description: "" });
  new storage.v1.StorageClass("storage", {
    provisioner: "example.com/none",
    parameters: {},
    mountOptions: [],
    allowVolumeExpansion: false,
  });
  new node.v1.RuntimeClass("runtime", {
    handler: "none",
    overhead: { podFixed: { cpu: "0.25", memory: "1024Ki" } },
  });
  new admissionregistration.v1.ValidatingWebhookConfiguration("webhook", {
    webhooks: [
      {
        name: "zoo.example.com",
        clientConfig: { url: "https://127.0.0.1:9/check" },
        admissionReviewVersions: ["v1"],
        sideEffects: "None",
        failurePolicy: "Ignore",
        namespaceSelector: { matchLabels: { zoo: "nowhere" } },
        rules: [{ apiGroups: [""], apiVersions: ["v1"], operations: ["CREATE"], resources: ["pods"] }],
      },
    ],
  });
  new admissionregistration.v1.ValidatingAdmissionPolicy("admission", {
    spec: {
      matchConstraints: {
        resourceRules: [
          { apiGroups: ["example.com"], apiVersions: ["v1"], operations: ["CREATE"], resources: ["zoos"] },
        ],
      },
      validations: [{ expression: "true" }],
    },
  });
}
