import type { PodObject } from "../../slots/kubernetes-objects.ts";
import { unsettled } from "../../slots/readiness.ts";
import type { Obstacle } from "../program/object-owners.ts";
import { autoscalerOf } from "./autoscaler.ts";
import type {
  FoundAutoscaler,
  FoundContainer,
  FoundDeployment,
  FoundPath,
  FoundService,
  Inventory,
} from "./inventory.ts";
import { selects } from "./labels.ts";

/** What stands behind one path of an Ingress. */
export interface Behind {
  readonly service: FoundService;
  readonly deployment: FoundDeployment;
  /** What sets its number of replicas, if anything does. */
  readonly autoscaler: FoundAutoscaler | undefined;
  readonly pods: readonly PodObject[];
  readonly container: FoundContainer;
  readonly servicePort: number;
  readonly httpPort: number;
  readonly selector: Readonly<Record<string, string>>;
  readonly hasOtherPorts: boolean;
}

type Note = (found: Obstacle | undefined) => void;

/** The Service of a path and the one Deployment whose pods it selects; notes everything that is in the way. Pure. */
export function liveObjects(path: FoundPath, inventory: Inventory, note: Note): Behind | undefined {
  const service = serviceOf(path, inventory, note);
  if (service === undefined) return undefined;
  const name = service.metadata?.name ?? "";
  const selector = service.spec?.selector ?? {};
  const deployment = deploymentOf(name, selector, inventory, note);
  if (deployment === undefined) return undefined;
  stateOf(deployment, inventory, note);
  const autoscaler = autoscalerOf(deployment, inventory, note);
  const pods = podsOf(name, selector, deployment, inventory, note);
  const ports = portsOf(path, service, deployment, note);
  if (ports === undefined) return undefined;
  return {
    service,
    deployment,
    autoscaler,
    pods,
    selector,
    ...ports,
    hasOtherPorts: (service.spec?.ports ?? []).length > 1,
  };
}

function serviceOf({ backend }: FoundPath, { services }: Inventory, note: Note): FoundService | undefined {
  const name = backend?.service?.name;
  if (name === undefined) {
    note({
      reason: "the Ingress leads to something that is no Service",
      remedy: "only Services can be taken over",
    });
    return undefined;
  }
  const service = services.find(({ metadata }) => metadata?.name === name);
  if (service === undefined) {
    note({
      reason: `the Service ${name}, which the Ingress leads to, does not exist`,
      remedy: "make it, or correct the Ingress",
    });
    return undefined;
  }
  const { type, clusterIP, selector = {} } = service.spec ?? {};
  if (type === "ExternalName" || clusterIP === "None" || Object.keys(selector).length === 0) {
    const why =
      type === "ExternalName"
        ? "is another name for something outside"
        : clusterIP === "None"
          ? "is headless"
          : "selects no pods";
    note({
      reason: `the Service ${name} ${why}`,
      remedy: "put an ordinary Service with a selector in front of the pods",
    });
    return undefined;
  }
  return service;
}

function deploymentOf(
  service: string,
  selector: Readonly<Record<string, string>>,
  { deployments, pods }: Inventory,
  note: Note,
): FoundDeployment | undefined {
  const selected = deployments.filter(({ spec }) =>
    selects(selector, spec?.template?.metadata?.labels ?? {}),
  );
  const [deployment, ...others] = selected;
  if (deployment !== undefined && others.length === 0) {
    const { metadata, spec } = deployment;
    if ((spec?.selector?.matchExpressions ?? []).length > 0) {
      note({
        reason: `the Deployment ${metadata?.name} selects its pods by matchExpressions, which later releases could not keep`,
        remedy: "make a Deployment with matchLabels only",
      });
    }
    return deployment;
  }
  if (deployment !== undefined) {
    const names = selected.map(({ metadata }) => metadata?.name).join(", ");
    note({
      reason: `the Service ${service} selects the pods of ${selected.length} Deployments (${names}), and a slot has one`,
      remedy: "let the Service select one of them, or scale the others down and delete them",
    });
    return undefined;
  }
  const makers = pods
    .filter(({ metadata }) => selects(selector, metadata?.labels ?? {}))
    .flatMap(({ metadata }) =>
      (metadata?.ownerReferences ?? []).map(({ kind, name }) =>
        kind === "ReplicaSet"
          ? `ReplicaSet ${name}, which no Deployment here has (an Argo Rollout?)`
          : `${kind} ${name}`,
      ),
    );
  const made = [...new Set(makers)];
  note({
    reason: `no Deployment runs pods for the Service ${service}${made.length === 0 ? "" : `; they come from ${made.join(", ")}`}`,
    remedy: "only pods of a Deployment can be taken over",
  });
  return undefined;
}

function stateOf(deployment: FoundDeployment, inventory: Inventory, note: Note): void {
  const { metadata, spec } = deployment;
  const name = metadata?.name ?? "";
  const replicas = spec?.replicas ?? 1;
  if (spec?.paused === true) {
    note({
      reason: `the Deployment ${name} is paused`,
      remedy: `kubectl --namespace ${inventory.namespace} rollout resume deployment ${name}`,
    });
  }
  if (replicas === 0) {
    note({
      reason: `the Deployment ${name} has 0 replicas: nothing runs that could be taken over`,
      remedy: "scale it up first",
    });
    return;
  }
  const open = unsettled(deployment);
  if (open !== undefined) {
    note({
      reason: `the Deployment ${name} is not settled: ${open}`,
      remedy: `wait until it is: kubectl --namespace ${inventory.namespace} rollout status deployment ${name}`,
    });
  }
}

/** The pods that the Service selects, which must all be the Deployment's. */
function podsOf(
  service: string,
  selector: Readonly<Record<string, string>>,
  deployment: FoundDeployment,
  { pods, replicaSets }: Inventory,
  note: Note,
): PodObject[] {
  const own = new Set(
    replicaSets
      .filter(({ metadata }) =>
        (metadata?.ownerReferences ?? []).some(({ uid }) => uid === deployment.metadata?.uid),
      )
      .map(({ metadata }) => metadata?.uid),
  );
  const selected = pods.filter(
    ({ metadata }) => selects(selector, metadata?.labels ?? {}) && metadata?.deletionTimestamp === undefined,
  );
  const isOwn = ({ metadata }: PodObject) =>
    (metadata?.ownerReferences ?? []).some(({ uid }) => own.has(uid));
  const strangers = selected.filter((pod) => !isOwn(pod)).map(({ metadata }) => metadata?.name);
  if (strangers.length > 0) {
    note({
      reason: `the Service ${service} also selects pods that are not of the Deployment ${deployment.metadata?.name}: ${strangers.join(", ")}`,
      remedy: "remove them, or the label that the Service selects them by",
    });
  }
  return selected.filter(isOwn);
}

function portsOf(
  { backend }: FoundPath,
  service: FoundService,
  deployment: FoundDeployment,
  note: Note,
): Pick<Behind, "container" | "servicePort" | "httpPort"> | undefined {
  const name = service.metadata?.name ?? "";
  const wanted = backend?.service?.port;
  const ports = service.spec?.ports ?? [];
  const port = ports.find((one) =>
    wanted?.number === undefined
      ? one.name !== undefined && one.name === wanted?.name
      : one.port === wanted.number,
  );
  if (port?.port === undefined) {
    const has = ports.map((one) => `${one.name === undefined ? "" : `${one.name} `}${one.port}`).join(", ");
    note({
      reason: `the Ingress asks for the port ${wanted?.number ?? wanted?.name ?? "(none)"} of the Service ${name}, which has ${has}`,
      remedy: "correct the Ingress",
    });
    return undefined;
  }
  const containers = deployment.spec?.template?.spec?.containers ?? [];
  const target = port.targetPort ?? port.port;
  const offers = (container: FoundContainer) =>
    (container.ports ?? []).find((one) =>
      typeof target === "string" ? one.name === target : one.containerPort === target,
    );
  // Containers need not say which ports they listen on; with one container there is no doubt.
  const container = containers.find((one) => offers(one) !== undefined) ?? containers[0];
  const httpPort = typeof target === "number" ? target : container && offers(container)?.containerPort;
  if (container === undefined || httpPort === undefined) {
    note({
      reason: `the Service ${name} sends to the port "${target}", which no container of ${deployment.metadata?.name} has`,
      remedy: "correct targetPort of the Service",
    });
    return undefined;
  }
  if (container.image === undefined) return undefined;
  return { container, servicePort: port.port, httpPort };
}
