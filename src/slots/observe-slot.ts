import type { ObjectNames } from "../core/names.ts";
import type { Slot } from "../core/slots.ts";
import type { KubernetesApi } from "../kubernetes/api.ts";
import { Lists } from "../kubernetes/lists.ts";
import { endpointsOf } from "./endpoints.ts";
import type {
  DeploymentObject,
  EndpointSliceObject,
  PodObject,
  ServiceObject,
} from "./kubernetes-objects.ts";
import type { SlotObservation } from "./observation.ts";
import { deploymentObservation, podObservation, readReplicaSets } from "./observe-deployment.ts";
import type { EndpointView } from "./pod-waits.ts";
import { type Belonging, belonging, selectorText } from "./revisions.ts";

export interface SlotLocation {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly names: Pick<ObjectNames, "deployment" | "service">;
  /** What the answers of pods without a note of it have, where their release says it. @default none */
  readonly mark?: string | undefined;
  /** What lists were read so far. @default none */
  readonly lists?: Lists | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Reads one slot: its Deployment, Service, endpoints, and the pods that are its own. */
export async function observeSlotAt(location: SlotLocation, slot: Slot): Promise<SlotObservation> {
  const { api, namespace, names, signal, lists = new Lists(api) } = location;
  const name = names.service[slot];
  const options = signal === undefined ? {} : { signal };
  const apps = `/apis/apps/v1/namespaces/${namespace}`;
  const [deployment, service, slices] = await Promise.all([
    api.find<DeploymentObject>(`${apps}/deployments/${names.deployment[slot]}`, options),
    api.find<ServiceObject>(`/api/v1/namespaces/${namespace}/services/${name}`, options),
    lists.find<EndpointSliceObject>(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`, {
      ...options,
      labelSelector: `kubernetes.io/service-name=${name}`,
    }),
  ]);
  const selector = service?.spec?.selector ?? {};
  const selected = selectorText({ matchLabels: selector });
  const made = selectorText(deployment?.spec?.selector ?? {});
  const listed = async (labelSelector: string) => {
    // Without a selector the list would be every pod of the namespace.
    if (labelSelector === "") return [];
    const path = `/api/v1/namespaces/${namespace}/pods`;
    return (await lists.find<PodObject>(path, { ...options, labelSelector }))?.items ?? [];
  };
  const [ofService, ofDeployment, replicaSets] = await Promise.all([
    listed(selected),
    made === selected ? [] : listed(made),
    // Of an empty slot nothing is to be told apart.
    isEmpty(deployment)
      ? undefined
      : readReplicaSets(lists, `${apps}/replicasets`, { ...options, labelSelector: made || selected }),
  ]);
  const belongs = belonging(deployment, replicaSets);
  const chosen = new Set(ofService.map(({ metadata }) => metadata?.name));
  const pods = [
    ...ofService,
    // What the Deployment made and the Service does not select is the slot's too: it is missed among the endpoints.
    ...ofDeployment.filter(
      (pod) => !chosen.has(pod.metadata?.name) && isMadeBy(pod, deployment, belongs(pod)),
    ),
  ];
  const { portless, ...endpoints } = endpointsOf(service, slices?.items ?? [], pods);
  const view: EndpointView = {
    service: service === undefined ? undefined : name,
    selector,
    listed: new Set(
      (slices?.items ?? [])
        .flatMap((slice) => slice.endpoints ?? [])
        .map(({ targetRef }) => targetRef?.name ?? "")
        .filter((pod) => !portless.has(pod)),
    ),
    portless,
  };
  return {
    slot,
    service: service === undefined ? undefined : { name, selector },
    deployment: deployment === undefined ? undefined : deploymentObservation(deployment, replicaSets),
    endpoints,
    pods: pods.map((pod) => podObservation(pod, belongs(pod), view, location.mark)),
  };
}

function isEmpty(deployment: DeploymentObject | undefined): boolean {
  return deployment?.spec?.replicas === 0 && (deployment.status?.replicas ?? 0) === 0;
}

function isMadeBy(pod: PodObject, deployment: DeploymentObject | undefined, belongs: Belonging): boolean {
  return deployment !== undefined && belongs !== "stray" && pod.metadata?.ownerReferences !== undefined;
}
