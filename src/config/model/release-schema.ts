import { z } from "zod";
import { quantityPattern } from "../../core/quantity.ts";
import { annotations, count, labels, text } from "../parts/schema-parts.ts";

/** The shape of what a release is made of; rules over several fields are in `core/slot-rules/slot-rules.ts`. */

const objectName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const dataKey = /^[-._a-zA-Z0-9]+$/;

const reference = (kind: string) =>
  z.string().regex(objectName, `is no name of a ${kind}: lower-case letters, digits, - and .`);
const pullPolicy = z.enum(["Always", "IfNotPresent", "Never"]);
/** As in Kubernetes; the API server checks what is in it. */
const kubernetesObject = (about: string) => z.looseObject({}).describe(about);
const named = (about: string) => z.looseObject({ name: text("Name") }).describe(about);

const quantity = z
  .string()
  .regex(quantityPattern, 'is no quantity; write it as Kubernetes does, for example "500m", "2" or "1Gi"');

const envReference = z.strictObject({
  secret: reference("Secret").optional().describe("Secret with the value"),
  configMap: reference("ConfigMap").optional().describe("ConfigMap with the value"),
  key: z.string().regex(dataKey, "is no key: letters, digits, - _ and .").describe("Key in it"),
  optional: z.boolean().optional().describe("Start without it where it is missing. Default: false"),
});

export const variables = z
  .record(
    z.string().regex(/^[-._a-zA-Z][-._a-zA-Z0-9]*$/, "is no name of an environment variable"),
    z.union([z.string(), envReference]),
  )
  .describe(
    "Environment variables of the model server's container: a text, { secret, key } or { configMap, key }",
  );

export const resources = z
  .strictObject({
    requests: z.record(z.string(), quantity).optional().describe("What a replica is sure to get"),
    limits: z.record(z.string(), quantity).optional().describe("What a replica may use at most"),
  })
  .describe("Resources of the model server's container");

const model = z
  .strictObject({
    uri: text(
      "s3://, gs://, az://ACCOUNT/CONTAINER/PATH, http://, https://, hf://ORGANISATION/MODEL, pvc://CLAIM/PATH or oci://IMAGE",
    ),
    digest: z.string().optional().describe("sha256:…; another model fails the pod before the server starts"),
    mountPath: text("Folder of the container, read-only. Default: /mnt/models").optional(),
    fetcher: z
      .strictObject({
        image: text("Image of the init container. Default: KServe's storage initializer").optional(),
        imagePullPolicy: pullPolicy.optional().describe("When it is pulled. Default: IfNotPresent"),
        env: variables.optional(),
        resources: resources.optional(),
        verify: z
          .enum(["shell", "built-in"])
          .optional()
          .describe("How the image checks the digest. Default: shell"),
      })
      .optional()
      .describe("How the model is fetched"),
  })
  .describe("The model, if it is not in the image");

const autoscaling = z
  .strictObject({
    min: count("Fewest replicas", 1),
    max: count("Most replicas", 1),
    cpu: count(
      "Per cent of the requested CPU to aim at. Default: 80, if nothing else is given",
      1,
    ).optional(),
    memory: count("Per cent of the requested memory to aim at", 1).optional(),
    metrics: z.array(kubernetesObject("A metric of autoscaling/v2")).optional().describe("More metrics"),
    behavior: kubernetesObject("behavior of autoscaling/v2").optional(),
    labels: labels.optional().describe("Labels of the HorizontalPodAutoscalers"),
    annotations: annotations.optional().describe("Annotations of the HorizontalPodAutoscalers"),
  })
  .describe("Replicas by load, by a HorizontalPodAutoscaler. Either this or `replicas`");

const amountOfPods = z.union([
  z.int().min(0),
  z.string().regex(/^\d+%$/, 'is no amount; write a number or per cent, for example "25%"'),
]);

const disruptionBudget = z
  .union([
    z.literal(false),
    z.strictObject({ maxUnavailable: amountOfPods }),
    z.strictObject({ minAvailable: amountOfPods }),
  ])
  .describe(
    "What node drains may take at a time. Default: { maxUnavailable: 1 } with more than one replica; false: no budget",
  );

const toleration = z.strictObject({
  key: text("Key of the taint").optional(),
  operator: z.enum(["Equal", "Exists"]).optional().describe("Default: Equal"),
  value: z.string().optional().describe("Value of the taint"),
  effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional().describe("Default: all"),
  tolerationSeconds: count("Seconds that a pod stays, with NoExecute", 0).optional(),
});

const pod = z
  .strictObject({
    labels: labels.optional().describe("More labels"),
    annotations: annotations.optional().describe("Annotations of the pods"),
    nodeSelector: z.record(z.string(), z.string()).optional().describe("Labels that a node must have"),
    tolerations: z.array(toleration).optional().describe("Taints of nodes that the pods put up with"),
    affinity: kubernetesObject("affinity of a Kubernetes pod").optional(),
    topologySpread: z
      .array(
        z.strictObject({
          topologyKey: text("Label of the nodes, for example topology.kubernetes.io/zone"),
          maxSkew: count("Default: 1", 1).optional(),
          whenUnsatisfiable: z
            .enum(["DoNotSchedule", "ScheduleAnyway"])
            .optional()
            .describe("Default: ScheduleAnyway"),
        }),
      )
      .optional()
      .describe("Spreads the slot's replicas"),
    serviceAccount: reference("ServiceAccount").optional().describe("Default: default"),
    mountServiceAccountToken: z.boolean().optional().describe("Default: false"),
    priorityClass: reference("PriorityClass").optional(),
    runtimeClass: reference("RuntimeClass").optional(),
    securityContext: kubernetesObject(
      "securityContext of the pod, over the default seccompProfile: RuntimeDefault",
    ).optional(),
    imagePullSecrets: z
      .array(reference("Secret"))
      .optional()
      .describe("Names of Secrets with registry credentials"),
    containers: z
      .array(kubernetesObject("A Kubernetes container"))
      .optional()
      .describe("Containers beside the server's"),
    initContainers: z
      .array(kubernetesObject("A Kubernetes container"))
      .optional()
      .describe("Containers that run before the server"),
    volumes: z.array(kubernetesObject("A Kubernetes volume")).optional().describe("Volumes of the pod"),
  })
  .describe("Where and as whom the pods run, and what else is in them");

const kubernetes = z
  .strictObject({
    labels: labels.optional().describe("Labels of the Deployment itself"),
    annotations: annotations.optional().describe("Annotations of the Deployment itself"),
    deployment: kubernetesObject("Fields of the Deployment's spec").optional(),
    pod: kubernetesObject("Fields of the pod's spec").optional(),
    container: kubernetesObject("Fields of the server's container").optional(),
  })
  .describe("Fields as Kubernetes has them, for what has no word here; they replace what modelswitch writes");

/** What the Services of both slots have beside their selector and port. */
export const serviceSettings = z
  .strictObject({
    labels: labels.optional().describe("Labels of the Services"),
    annotations: annotations.optional().describe("Annotations of the Services"),
    kubernetes: kubernetesObject("Fields of a Service's spec as Kubernetes has them").optional(),
  })
  .describe("What the Services of both slots have beside their selector and the port of the Ingress");

/** Keys that a release and a slot have in common. */
export const runs = {
  replicas: count("Replicas of the slot. Either this or `autoscaling`. Default: 1", 0).optional(),
  autoscaling: autoscaling.optional(),
  disruptionBudget: disruptionBudget.optional(),
  model: model.optional(),
  mark: text(
    "What answers of this release have where the identity looks; only for servers without HTTP (grpcOnly)",
  ).optional(),
  env: variables.optional(),
  configFiles: z
    .record(z.string(), z.union([z.string(), z.strictObject({ file: text("Path relative to this file") })]))
    .optional()
    .describe("Files by their absolute path in the container: contents, or { file: PATH }"),
  secrets: z
    .array(
      z.strictObject({
        secret: reference("Secret").describe("Name of the Secret"),
        mountPath: text("Folder of the container, read-only"),
      }),
    )
    .optional()
    .describe("Secrets as files"),
  versions: z
    .record(z.string(), z.string())
    .optional()
    .describe("Versions by secret/NAME and configmap/NAME. Default: those that are there"),
  resources: resources.optional(),
  gpus: z
    .union([
      z.number(),
      z.strictObject({ count: z.number(), resource: text("Resource of a device plug-in") }),
    ])
    .optional()
    .describe("Whole GPUs per replica: a number of nvidia.com/gpu, or { count, resource }"),
  imagePullPolicy: pullPolicy.optional().describe("When the image is pulled. Default: IfNotPresent"),
  command: z.array(z.string()).optional().describe("Replaces the image's entry point"),
  args: z.array(z.string()).optional().describe("Arguments for the entry point. Default: the image's own"),
  securityContext: kubernetesObject(
    "securityContext of the server's container, over the defaults",
  ).optional(),
  volumeMounts: z
    .array(named("A Kubernetes volume mount"))
    .optional()
    .describe("More mounts of the server's container, of volumes in pod.volumes"),
  pod: pod.optional(),
  kubernetes: kubernetes.optional(),
};

/** Options of requests, for the schema of `ingress`. */
export const requestOptions = {
  timeout: count("Seconds that the controller waits for an answer. Default: the controller's", 1).optional(),
  maxBodySize: text(
    'Largest request: a quantity such as "64Mi", or "unlimited". Default: the controller\'s',
  ).optional(),
  protocol: z
    .enum(["http", "https", "grpc", "grpcs"])
    .optional()
    .describe("What the controller speaks with the model server. Default: http"),
};
