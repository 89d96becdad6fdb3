import { versionsAnnotation } from "../../component/pod/secrets.ts";
import {
  isPodSecurity,
  type NamespaceLabels,
  podSecurityVerdict,
} from "../../core/admission/pod-security.ts";
import { warningTexts } from "../../core/admission/warnings.ts";
import { deniedPermissions } from "../../kubernetes/access.ts";
import {
  type ApiRequest,
  type KubernetesApi,
  KubernetesApiError,
  type KubernetesObject,
  responseError,
} from "../../kubernetes/api.ts";
import { applierOf } from "../../kubernetes/owned-fields.ts";
import { canonicalJson } from "../record/canonical-json.ts";
import type { PlannedDeployment } from "./planned-deployment.ts";

/** What the API server says of a Deployment and its pods before they are made. */
export interface Admission {
  /** Why they would be refused, in its own words. */
  readonly refused: readonly Refused[];
  /** What it warns of, in its own words. */
  readonly warned: readonly string[];
  /** What could not be asked. */
  readonly unseen: readonly string[];
  /**
   * Whether the template of the pods would be the one that is there, but for the versions of Secrets and ConfigMaps. Absent: there is none, or
   * it is not known.
   */
  readonly isSameTemplate?: boolean;
}

export interface Refused {
  readonly what: string;
  readonly words: string;
}

interface Asking {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

/**
 * Lets the API server judge a Deployment without storing it, and one of its pods where this account may make pods. Kubernetes judges most
 * rules for pods only when a pod is made: a Deployment that it takes may never have one.
 */
export async function askAdmission(asking: Asking, deployment: PlannedDeployment): Promise<Admission> {
  const [labels, written, single] = await Promise.all([
    namespaceLabels(asking),
    askDeployment(asking, deployment),
    askPod(asking, deployment),
  ]);
  const security = podSecurityVerdict(written.warnings, labels);
  const others = written.warnings.filter((warning) => !isPodSecurity(warning));
  const isPodKnown = single.unseen.length === 0;
  // A pod that was judged says more than warnings about what will make it.
  const foretold = isPodKnown ? [] : security.refused;
  return {
    refused: [
      ...written.refused,
      ...single.refused,
      ...foretold.map((words) => ({ what: "its pods", words })),
    ],
    warned: [...others, ...security.warned, ...(isPodKnown ? security.refused : [])],
    unseen: [...written.unseen, ...single.unseen, ...(isPodKnown ? [] : security.unseen)],
    ...(written.isSameTemplate === undefined ? {} : { isSameTemplate: written.isSameTemplate }),
  };
}

/** Lets the API server judge an object that is not there yet, without storing it. */
export async function askNew(
  asking: Asking,
  path: string,
  object: { readonly kind: string; readonly metadata: { readonly name: string } },
): Promise<Admission> {
  const { name } = object.metadata;
  const { refused, warnings, unseen } = await ask(asking, `the ${object.kind} ${name}`, {
    method: "PATCH",
    path: `${path}/${name}`,
    query: { fieldManager: checker, force: true, dryRun: "All" },
    body: object,
  });
  return { refused, warned: warnings, unseen };
}

/** Who asks where nobody has written the object yet. */
const checker = "modelswitch-check";

interface Answered {
  readonly refused: readonly Refused[];
  readonly warnings: readonly string[];
  readonly unseen: readonly string[];
  /** What would be stored. */
  readonly object?: KubernetesObject;
}

async function askDeployment(
  asking: Asking,
  deployment: PlannedDeployment,
): Promise<Answered & Pick<Admission, "isSameTemplate">> {
  const { api, namespace, signal } = asking;
  const { name } = deployment.metadata;
  const path = `/apis/apps/v1/namespaces/${namespace}/deployments/${name}`;
  const live = await api.find<KubernetesObject>(path, { signal });
  const answered = await ask(asking, `the Deployment ${name}`, {
    method: "PATCH",
    path,
    // As whoever wrote it: what it does not say any more is taken away, as it will be.
    query: { fieldManager: managerOf(live), force: true, dryRun: "All" },
    body: deployment,
  });
  const { object } = answered;
  if (live === undefined || object === undefined) return answered;
  return { ...answered, isSameTemplate: templateText(live) === templateText(object) };
}

function managerOf(live: KubernetesObject | undefined): string {
  return (live === undefined ? undefined : applierOf(live)?.manager) ?? checker;
}

interface WithTemplate {
  readonly template?: {
    readonly metadata?: { readonly annotations?: Readonly<Record<string, string>> };
    readonly spec?: unknown;
  };
}

/** What the pods of a Deployment are made of; what is planned does not say the versions. */
function templateText({ spec }: KubernetesObject): string {
  const { metadata, ...template } = (spec as WithTemplate | undefined)?.template ?? {};
  const { annotations, ...others } = metadata ?? {};
  const { [versionsAnnotation]: _versions, ...said } = annotations ?? {};
  return canonicalJson({ ...template, metadata: others, annotations: said });
}

async function askPod(asking: Asking, { metadata, spec }: PlannedDeployment): Promise<Answered> {
  const { api, namespace, signal } = asking;
  const wanted = [{ verb: "create", group: "", resource: "pods" }];
  const denied = await deniedPermissions(api, namespace, wanted, signal);
  if (denied === undefined || denied.length > 0) {
    const why = "this account may not make pods, so none was tried";
    return { refused: [], warnings: [], unseen: [`what only refuses pods themselves (${why})`] };
  }
  const template = spec.template.metadata ?? {};
  // Policies that refuse pods which nobody looks after must take it for one of a ReplicaSet's.
  const owner = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    name: `${metadata.name}-0`,
    uid: "00000000-0000-0000-0000-000000000000",
    controller: true,
  };
  return await ask(asking, "its pods", {
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/pods`,
    query: { dryRun: "All" },
    body: {
      apiVersion: "v1",
      kind: "Pod",
      metadata: { ...template, name: `${metadata.name}-0-check`, namespace, ownerReferences: [owner] },
      spec: { restartPolicy: "Always", ...spec.template.spec },
    },
  });
}

const isNoDryRun = /admission webhook "([^"]+)" does not support dry run/;
/** What the authorizer says; admission refuses with the same status. */
const isNoRight = /cannot \w+ resource "/;
const isSilentWebhook = /failed calling webhook/;
/** Servers or proxies that take no such request at all. */
const notTaken = [404, 405, 415];

async function ask({ api, signal }: Asking, what: string, request: ApiRequest): Promise<Answered> {
  const answer = await api.request({ ...request, signal });
  const warnings = warningTexts(answer.headers.warning);
  if (answer.status < 400)
    return { refused: [], warnings, unseen: [], object: JSON.parse(answer.body) as KubernetesObject };
  const { message, status } = responseError(request, answer);
  const webhook = isNoDryRun.exec(message)?.[1];
  if (webhook !== undefined) {
    const unseen = `what the admission webhook ${webhook} says of ${what} (it does not support dry runs)`;
    return { refused: [], warnings, unseen: [unseen] };
  }
  if (status === 403 && isNoRight.test(message))
    return {
      refused: [],
      warnings,
      unseen: [`what admission says of ${what} (this account may not write it)`],
    };
  if (notTaken.includes(status))
    return { refused: [], warnings, unseen: [`what admission says of ${what} (HTTP ${status}: ${message})`] };
  if (status >= 500 && !isSilentWebhook.test(message)) throw responseError(request, answer);
  return { refused: [{ what, words: message }], warnings, unseen: [] };
}

async function namespaceLabels({ api, namespace, signal }: Asking): Promise<NamespaceLabels> {
  try {
    const found = await api.find<KubernetesObject>(`/api/v1/namespaces/${namespace}`, { signal });
    return found === undefined ? undefined : (found.metadata?.labels ?? {});
  } catch (error) {
    if (error instanceof KubernetesApiError && error.status === 403) return undefined;
    throw error;
  }
}
