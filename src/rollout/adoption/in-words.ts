import type { ReleaseTemplate } from "../../config/model/types.ts";
import { type Fields, isFields } from "../../core/fields.ts";
import type { EnvValue, KubernetesFields, PodSettings, Toleration } from "../../core/release-contents.ts";
import { ownPodLabels } from "../../core/slot-rules/pod.ts";
import { keptAnnotations } from "../record/bookkeeping.ts";
import type { Discovered } from "./discovered.ts";
import type { FoundContainer } from "./inventory.ts";
import { saysNothing } from "./missing-fields.ts";

type Texts = Readonly<Record<string, string>>;

/** What the pods run that were found, as far as the configuration has words for it. Pure. */
export function inWords(found: Discovered): ReleaseTemplate {
  const { container, deployment } = found;
  const { env, others } = variables(container);
  const { requests = {}, limits = {} } = container.resources ?? {};
  const policy = container.imagePullPolicy;
  const { command, volumeMounts } = container as {
    readonly command?: readonly string[];
    readonly volumeMounts?: readonly object[];
  };
  const { labels = {}, annotations = {} } = deployment.metadata ?? {};
  const own = {
    labels: withoutKeys(labels, ownPodLabels),
    annotations: keptAnnotations(annotations),
  };
  const kubernetes: KubernetesFields = {
    ...filled("labels", own.labels),
    ...filled("annotations", own.annotations),
    ...(others.length === 0 ? {} : { container: { env: others } }),
  };
  return {
    image: container.image ?? "",
    ...filled("env", env),
    ...filled("resources", { ...filled("requests", requests), ...filled("limits", limits) }),
    ...(policy === "Always" || policy === "Never" ? { imagePullPolicy: policy } : {}),
    ...filled("command", command),
    ...filled("args", container.args),
    ...filled("securityContext", containerSecurity(container)),
    ...filled("volumeMounts", volumeMounts),
    ...filled("pod", podInWords(found)),
    ...filled("kubernetes", kubernetes),
  };
}

/** Nothing at all, where the value has nothing in it. */
function filled<Key extends string, T>(key: Key, value: T | undefined): { readonly [K in Key]?: T } {
  const isEmpty =
    value === undefined ||
    value === "" ||
    (Array.isArray(value) ? value.length === 0 : isFields(value) && Object.keys(value).length === 0);
  return (isEmpty ? {} : { [key]: value }) as { readonly [K in Key]?: T };
}

function withoutKeys(texts: Texts, keys: readonly string[]): Texts {
  return Object.fromEntries(Object.entries(texts).filter(([key]) => !keys.includes(key)));
}

/** Texts and keys of Secrets and ConfigMaps have words; the others stay as Kubernetes has them. */
function variables({ env = [] }: FoundContainer) {
  const said: Record<string, EnvValue> = {};
  const others: object[] = [];
  for (const variable of env) {
    const { name, value, valueFrom } = variable;
    const reference = isFields(valueFrom) ? referenceOf(valueFrom) : undefined;
    if (valueFrom !== undefined && reference === undefined) others.push(variable);
    else said[name] = reference ?? value ?? "";
  }
  return { env: said, others };
}

function referenceOf({ secretKeyRef, configMapKeyRef }: Fields): EnvValue | undefined {
  const from = isFields(secretKeyRef) ? secretKeyRef : configMapKeyRef;
  if (!isFields(from) || typeof from.name !== "string" || typeof from.key !== "string") return undefined;
  const about = { key: from.key, ...(from.optional === true ? { optional: true } : {}) };
  return from === secretKeyRef ? { secret: from.name, ...about } : { configMap: from.name, ...about };
}

/** What is privileged may escalate: the API server refuses one without the other. */
function containerSecurity({ securityContext }: FoundContainer): object | undefined {
  if (!isFields(securityContext) || saysNothing("securityContext", securityContext)) return undefined;
  const { privileged, capabilities } = securityContext;
  const added: unknown = isFields(capabilities) ? capabilities.add : undefined;
  const escalates =
    privileged === true ||
    (Array.isArray(added) && added.some((one) => /^(CAP_)?SYS_ADMIN$/.test(String(one))));
  return escalates ? { allowPrivilegeEscalation: true, ...securityContext } : securityContext;
}

function podInWords({ deployment, container, selector, otherSelector }: Discovered): PodSettings {
  const { metadata, spec = {} } = (deployment.spec?.template ?? {}) as {
    readonly metadata?: { readonly labels?: Texts; readonly annotations?: Texts };
    readonly spec?: Fields;
  };
  const selecting = [...Object.keys(selector), ...Object.keys(otherSelector)];
  const { tolerations, imagePullSecrets, serviceAccountName, automountServiceAccountToken } = spec;
  const account =
    typeof serviceAccountName === "string" && serviceAccountName !== "default"
      ? serviceAccountName
      : undefined;
  // An account of their own is of use to the pods by its token alone.
  const token = automountServiceAccountToken ?? (account === undefined ? undefined : true);
  const containers = (spec.containers ?? []) as readonly FoundContainer[];
  return {
    ...filled("labels", withoutKeys(metadata?.labels ?? {}, [...ownPodLabels, ...selecting])),
    ...filled("annotations", keptAnnotations(metadata?.annotations ?? {})),
    ...filled("nodeSelector", spec.nodeSelector as Texts | undefined),
    ...(areTolerations(tolerations) ? filled("tolerations", tolerations) : {}),
    ...filled("affinity", spec.affinity as object | undefined),
    ...filled("serviceAccount", account),
    ...(token === true ? { mountServiceAccountToken: true } : {}),
    ...filled("priorityClass", spec.priorityClassName as string | undefined),
    ...filled("runtimeClass", spec.runtimeClassName as string | undefined),
    ...filled("securityContext", spec.securityContext as object | undefined),
    ...filled(
      "imagePullSecrets",
      (imagePullSecrets as { readonly name: string }[] | undefined)?.map(({ name }) => name),
    ),
    ...filled("containers", containers.filter((one) => one !== container) as readonly object[]),
    ...filled("initContainers", spec.initContainers as readonly object[] | undefined),
    ...filled("volumes", spec.volumes as readonly object[] | undefined),
  };
}

const effects = [undefined, "NoSchedule", "PreferNoSchedule", "NoExecute"];

/** Whether there are words for all of them: new versions of Kubernetes have more operators. */
function areTolerations(value: unknown): value is readonly Toleration[] {
  return (
    Array.isArray(value) &&
    value.every(
      (one: unknown) =>
        isFields(one) &&
        [undefined, "Equal", "Exists"].includes(one.operator as string | undefined) &&
        effects.includes(one.effect as string | undefined),
    )
  );
}
