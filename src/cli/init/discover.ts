import { exitCodes, UserError } from "../../core/errors.ts";
import type { KubernetesApi, KubernetesObject } from "../../kubernetes/api.ts";
import type { Prefill } from "./answers.ts";

/** What runs in a namespace, as far as `init` is interested. */
export interface Running {
  readonly ingresses: readonly KubernetesObject[];
  readonly services: readonly KubernetesObject[];
  readonly deployments: readonly KubernetesObject[];
}

export async function whatRuns(api: KubernetesApi, namespace: string, signal: AbortSignal): Promise<Running> {
  const list = async (path: string) =>
    (
      await api.json<{ readonly items?: readonly KubernetesObject[] }>({
        method: "GET",
        path,
        signal,
        timeoutMs: 5000,
      })
    ).items ?? [];
  const [ingresses, services, deployments] = await Promise.all([
    list(`/apis/networking.k8s.io/v1/namespaces/${namespace}/ingresses`),
    list(`/api/v1/namespaces/${namespace}/services`),
    list(`/apis/apps/v1/namespaces/${namespace}/deployments`),
  ]);
  return { ingresses, services, deployments };
}

interface IngressSpec {
  readonly ingressClassName?: string;
  readonly rules?: readonly {
    readonly host?: string;
    readonly http?: {
      readonly paths?: readonly { readonly backend?: { readonly service?: { readonly name?: string } } }[];
    };
  }[];
}

interface DeploymentSpec {
  readonly template?: {
    readonly metadata?: { readonly labels?: Readonly<Record<string, string>> };
    readonly spec?: {
      readonly containers?: readonly {
        readonly image?: string;
        readonly ports?: readonly { readonly containerPort?: number }[];
      }[];
    };
  };
}

/**
 * Follows an Ingress to its first Service, and that to the Deployment it selects. Pure.
 * @throws UserError `from-unknown` when there is no such Ingress
 */
export function prefillFrom(ingressName: string, running: Running, namespace: string): Prefill {
  const ingress = running.ingresses.find(({ metadata }) => metadata?.name === ingressName);
  if (ingress === undefined) {
    const names = running.ingresses.map(({ metadata }) => metadata?.name ?? "");
    throw new UserError({
      code: "from-unknown",
      message: `There is no Ingress "${ingressName}" in the namespace ${namespace}.`,
      hint: names.length === 0 ? "There are no Ingresses at all." : `There are: ${names.join(", ")}.`,
      exitCode: exitCodes.usage,
    });
  }
  const spec = (ingress.spec ?? {}) as IngressSpec;
  const rule = spec.rules?.find(({ host }) => host !== undefined) ?? spec.rules?.[0];
  const className = spec.ingressClassName ?? ingress.metadata?.annotations?.["kubernetes.io/ingress.class"];
  const container = containerBehind(rule?.http?.paths?.[0]?.backend?.service?.name, running);
  const port = container?.ports?.[0]?.containerPort;
  return {
    name: ingressName,
    ...(rule?.host === undefined ? {} : { host: rule.host }),
    ...(className === undefined ? {} : { className }),
    ...(container?.image === undefined ? {} : { image: container.image }),
    ...(port === undefined ? {} : { port }),
  };
}

function containerBehind(serviceName: string | undefined, running: Running) {
  const service = running.services.find(({ metadata }) => metadata?.name === serviceName);
  const selector = (service?.spec as { readonly selector?: Readonly<Record<string, string>> } | undefined)
    ?.selector;
  if (selector === undefined) return undefined;
  const selected = running.deployments
    .map(({ spec }) => (spec as DeploymentSpec | undefined)?.template)
    .find((template) => {
      const labels = template?.metadata?.labels ?? {};
      return Object.entries(selector).every(([key, value]) => labels[key] === value);
    });
  return selected?.spec?.containers?.[0];
}

/** Lines that tell what could be taken over. */
export function describeRunning(running: Running, namespace: string): string[] {
  const names = (objects: readonly KubernetesObject[]) =>
    objects.map(({ metadata }) => metadata?.name ?? "").join(", ");
  const kinds = [
    ["Ingresses", running.ingresses],
    ["Services", running.services.filter(({ metadata }) => metadata?.name !== "kubernetes")],
    ["Deployments", running.deployments],
  ] as const;
  const found = kinds
    .filter(([, objects]) => objects.length > 0)
    .map(([kind, objects]) => `${kind}: ${names(objects)}`);
  if (found.length === 0) return [];
  return [`In the namespace ${namespace} there run ${found.join("; ")}.`];
}
