import type * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { AdoptedModel } from "../core/model.ts";
import type { Slot } from "../core/slots.ts";
import { withOwnPeers } from "./peers.ts";

type DeploymentSpec = k8s.types.input.apps.v1.DeploymentSpec;
type Labels = Readonly<Record<string, string>>;

/** What a slot is made of, as far as it may have existed before the model. */
type SlotKind = "deployment" | "service" | "autoscaler";

/** How a resource of the model is declared where its object existed before. */
export interface Adopting {
  options(slot: Slot, kind: SlotKind, name: string): pulumi.CustomResourceOptions;
  ingressOptions(name: string): pulumi.CustomResourceOptions;
  /** Labels and annotations: those that were found stay. */
  metadata(slot: Slot, kind: SlotKind, own: Labels, said?: Labels): { labels?: Labels; annotations?: Labels };
  ingressLabels(own: Labels): Labels;
  ingressAnnotations(written: Labels): Labels;
  deploymentSpec(slot: Slot, spec: DeploymentSpec): DeploymentSpec;
}

const managedBy = "app.kubernetes.io/managed-by";

/** Found labels are looked for by others, for example in dashboards: of ours only the one that says who manages wins. */
export function adoptedLabels(found: Labels, own: Labels): Labels {
  const owner = own[managedBy];
  return { ...own, ...found, ...(owner === undefined ? {} : { [managedBy]: owner }) };
}

/** Everything of a Service's spec but its ports: its selector, address and type stay as they were found. */
const keptOfServices = [
  ...["selector", "type", "clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "externalIPs"],
  ...["externalName", "externalTrafficPolicy", "internalTrafficPolicy", "healthCheckNodePort"],
  ...["loadBalancerClass", "loadBalancerIP", "loadBalancerSourceRanges", "allocateLoadBalancerNodePorts"],
  ...["publishNotReadyAddresses", "sessionAffinity", "sessionAffinityConfig", "trafficDistribution"],
].map((key) => `spec.${key}`);

/** Everything of a Deployment's spec but the number of replicas, while the pods that were found run. */
const keptOfDeployments = [
  ...["template", "selector", "strategy", "minReadySeconds", "revisionHistoryLimit"],
  ...["progressDeadlineSeconds", "paused"],
].map((key) => `spec.${key}`);

export function adopting(
  adopted: AdoptedModel | undefined,
  namespace: pulumi.Input<string> | undefined,
): Adopting {
  const isAdopted = (slot: Slot): AdoptedModel | undefined => (adopted?.slot === slot ? adopted : undefined);
  /** With everything ignored the state takes the object as it is: an import that differs would fail. */
  const importing = (name: string): pulumi.CustomResourceOptions => ({
    import: typeof namespace === "string" ? `${namespace}/${name}` : name,
    ignoreChanges: ["metadata", "spec"],
  });
  const options = (
    { phase }: AdoptedModel,
    name: string,
    kept: readonly string[],
  ): pulumi.CustomResourceOptions => {
    switch (phase) {
      case "import":
        return importing(name);
      case "keep":
        return { ignoreChanges: [...kept], retainOnDelete: false };
      case "give-back":
        return { ...importing(name), retainOnDelete: true };
    }
  };
  return {
    options: (slot, kind, name) => {
      const about = isAdopted(slot);
      if (about?.[kind] === undefined) return {};
      if (kind === "autoscaler") return options(about, name, []);
      if (!about.templateKept) return options(about, name, kind === "service" ? keptOfServices : []);
      return options(about, name, kind === "service" ? ["spec"] : keptOfDeployments);
    },
    ingressOptions: (name) => (adopted === undefined ? {} : options(adopted, name, [])),
    metadata: (slot, kind, own, said = {}) => {
      const about = isAdopted(slot)?.[kind];
      if (about === undefined) return {};
      return {
        labels: adoptedLabels(about.labels, own),
        annotations: {
          ...about.annotations,
          ...said,
          ...(kind === "service" ? { "pulumi.com/skipAwait": "true" } : {}),
        },
      };
    },
    ingressLabels: (own) => (adopted === undefined ? own : adoptedLabels(adopted.ingress.labels, own)),
    ingressAnnotations: (written) => ({ ...adopted?.ingress.annotations, ...written }),
    deploymentSpec: (slot, spec) => {
      const about = isAdopted(slot);
      if (adopted === undefined) return spec;
      const { selector } = adopted.deployment;
      if (about === undefined) return withOwnPeers(spec, { ...selector, ...adopted.service.selector });
      // The Deployment's selector cannot change: pods of later releases have its labels, too.
      return { ...spec, ...withLabels(spec, selector), selector: { matchLabels: { ...selector } } };
    },
  };
}

function withLabels(spec: DeploymentSpec, labels: Labels): Pick<DeploymentSpec, "template"> {
  const template = spec.template as k8s.types.input.core.v1.PodTemplateSpec;
  const metadata = (template.metadata ?? {}) as { readonly labels?: Labels };
  return { template: { ...template, metadata: { ...metadata, labels: { ...metadata.labels, ...labels } } } };
}
