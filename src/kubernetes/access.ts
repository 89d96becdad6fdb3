import type { ExitCode } from "../core/errors.ts";
import { grants, type Permission, type PolicyRule } from "../core/permission-checks.ts";
import { type KubernetesApi, KubernetesApiError } from "./api.ts";
import { permissionDenied } from "./forbidden.ts";

interface RulesReview {
  readonly status?: { readonly resourceRules?: readonly PolicyRule[] };
}

interface AccessReview {
  readonly status?: { readonly allowed?: boolean };
}

/**
 * Those of the permissions that the account lacks in a namespace, as the API server judges. One request where all are
 * granted by Roles; what these don't grant is asked for one by one, since other authorizers don't list their rules.
 * `undefined` where the API server does not answer such questions.
 */
export async function deniedPermissions(
  api: KubernetesApi,
  namespace: string | undefined,
  wanted: readonly Permission[],
  signal?: AbortSignal,
): Promise<readonly Permission[] | undefined> {
  const rules = namespace === undefined ? [] : await rulesIn(api, namespace, signal);
  const doubtful = wanted.filter((permission) => !rules.some((rule) => grants(rule, permission)));
  const answers = await Promise.all(
    doubtful.map((permission) => isAllowed(api, namespace, permission, signal)),
  );
  const denied = doubtful.filter((_, index) => answers[index] === false);
  return denied.length === 0 && answers.includes(undefined) ? undefined : denied;
}

async function rulesIn(
  api: KubernetesApi,
  namespace: string,
  signal: AbortSignal | undefined,
): Promise<readonly PolicyRule[]> {
  const review = await ask<RulesReview>(api, "selfsubjectrulesreviews", "SelfSubjectRulesReview", signal, {
    namespace,
  });
  return review?.status?.resourceRules ?? [];
}

async function isAllowed(
  api: KubernetesApi,
  namespace: string | undefined,
  { verb, group, resource: path, name }: Permission,
  signal: AbortSignal | undefined,
): Promise<boolean | undefined> {
  const [resource, subresource] = path.split("/");
  const review = await ask<AccessReview>(api, "selfsubjectaccessreviews", "SelfSubjectAccessReview", signal, {
    resourceAttributes: {
      verb,
      group,
      resource,
      ...(subresource === undefined ? {} : { subresource }),
      ...(name === undefined ? {} : { name }),
      ...(namespace === undefined ? {} : { namespace }),
    },
  });
  return review?.status?.allowed;
}

async function ask<T>(
  api: KubernetesApi,
  plural: string,
  kind: string,
  signal: AbortSignal | undefined,
  spec: object,
): Promise<T | undefined> {
  try {
    return await api.json<T>({
      method: "POST",
      path: `/apis/authorization.k8s.io/v1/${plural}`,
      body: { apiVersion: "authorization.k8s.io/v1", kind, spec },
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (error instanceof KubernetesApiError) return undefined;
    throw error;
  }
}

/** Who the API server takes the account for; `undefined` where it does not say. */
export async function whoAmI(api: KubernetesApi, signal?: AbortSignal): Promise<string | undefined> {
  try {
    const review = await api.json<{ status?: { userInfo?: { username?: string } } }>({
      method: "POST",
      path: "/apis/authentication.k8s.io/v1/selfsubjectreviews",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
      ...(signal === undefined ? {} : { signal }),
    });
    return review.status?.userInfo?.username;
  } catch (error) {
    // It came with Kubernetes 1.28.
    if (error instanceof KubernetesApiError) return undefined;
    throw error;
  }
}

/** @throws UserError `permission-denied` naming all of it that the account lacks */
export async function refuseDenied(
  {
    api,
    namespace,
    signal,
  }: { readonly api: KubernetesApi; readonly namespace: string; readonly signal: AbortSignal },
  wanted: readonly Permission[],
  about: { readonly before?: string; readonly exitCode?: ExitCode },
): Promise<void> {
  const denied = await deniedPermissions(api, namespace, wanted, signal);
  // Where nobody can tell beforehand, the refusal comes when the time comes.
  if (denied === undefined || denied.length === 0) return;
  throw permissionDenied({ permissions: denied, namespace, user: await whoAmI(api, signal) }, about);
}
