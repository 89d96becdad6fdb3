import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Manifest, type RoleOptions, roleManifests } from "../../src/cli/rbac/manifests.ts";
import { objectNames } from "../../src/core/names.ts";
import type { PolicyRule } from "../../src/core/permission-checks.ts";
import { connect } from "../../src/kubernetes/connect.ts";
import { type TestNamespace, until } from "./test-cluster.ts";

const rbacApi = "rbac.authorization.k8s.io";

/** A ServiceAccount that may do what its Role says, and nothing else. */
export class RestrictedAccount {
  readonly namespace: TestNamespace;
  readonly name: string;
  readonly token: string;
  readonly user: string;

  private constructor(namespace: TestNamespace, name: string, token: string) {
    this.namespace = namespace;
    this.name = name;
    this.token = token;
    this.user = `system:serviceaccount:${namespace.name}:${name}`;
  }

  static async create(namespace: TestNamespace, name: string): Promise<RestrictedAccount> {
    const path = `/api/v1/namespaces/${namespace.name}/serviceaccounts`;
    await namespace.api.json({
      method: "POST",
      path,
      body: { apiVersion: "v1", kind: "ServiceAccount", metadata: { name } },
    });
    const { status } = await namespace.api.json<{ status: { token: string } }>({
      method: "POST",
      path: `${path}/${name}/token`,
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: {} },
    });
    return new RestrictedAccount(namespace, name, status.token);
  }

  /** Applies what `modelswitch rbac` prints, bound to this account; returns the Role's rules. */
  async allow(options: Partial<RoleOptions> & { readonly model: string }): Promise<PolicyRule[]> {
    const manifests = roleManifests({
      names: objectNames(options.model),
      namespace: this.namespace.name,
      readOnly: false,
      withOptional: false,
      anyName: false,
      ...options,
      subjects: [{ kind: "ServiceAccount", name: this.name }],
    });
    for (const manifest of manifests) await this.#apply(manifest);
    return manifests[0]?.object.rules as PolicyRule[];
  }

  /** Gives the Role other rules, and waits until the API server goes by them. */
  async setRules(role: string, rules: readonly PolicyRule[]): Promise<void> {
    await this.#apply({
      object: {
        apiVersion: `${rbacApi}/v1`,
        kind: "Role",
        metadata: { name: role, namespace: this.namespace.name },
        rules,
      },
      comments: [],
    });
  }

  async #apply({ object }: Manifest): Promise<void> {
    const { kind, metadata } = object as { kind: string; metadata: { name: string; namespace?: string } };
    const scope = metadata.namespace === undefined ? "" : `/namespaces/${metadata.namespace}`;
    await this.namespace.api.json({
      method: "PATCH",
      path: `/apis/${rbacApi}/v1${scope}/${kind.toLowerCase()}s/${metadata.name}`,
      query: { fieldManager: "test", force: true },
      body: object,
    });
  }

  /** Whether the API server lets it now, in the namespace or in the whole cluster. */
  async may(
    verb: string,
    about: {
      readonly group: string;
      readonly resource: string;
      readonly name?: string;
      readonly inCluster?: boolean;
    },
  ) {
    const [resource, subresource] = about.resource.split("/");
    const review = await this.namespace.api.json<{ status: { allowed: boolean } }>({
      method: "POST",
      path: "/apis/authorization.k8s.io/v1/subjectaccessreviews",
      body: {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: {
          user: this.user,
          resourceAttributes: {
            verb,
            group: about.group,
            resource,
            ...(about.inCluster === true ? {} : { namespace: this.namespace.name }),
            ...(subresource === undefined ? {} : { subresource }),
            ...(about.name === undefined ? {} : { name: about.name }),
          },
        },
      },
    });
    return review.status.allowed;
  }

  async until(allowed: boolean, verb: string, about: Parameters<RestrictedAccount["may"]>[1]) {
    await until(
      `${this.user} ${allowed ? "may" : "may not"} ${verb} ${about.resource}`,
      async () => (await this.may(verb, about)) === allowed,
    );
  }

  /** Writes a kubeconfig with the token in it; returns its path. */
  async kubeconfig(server: string, authority?: string): Promise<string> {
    const file = join(this.namespace.folder, `kubeconfig-${this.name}-${new URL(server).port}`);
    const cluster = {
      server,
      ...(authority === undefined ? {} : { "certificate-authority-data": authority }),
    };
    const contents = {
      apiVersion: "v1",
      kind: "Config",
      "current-context": "restricted",
      clusters: [{ name: "c", cluster }],
      contexts: [
        { name: "restricted", context: { cluster: "c", user: "u", namespace: this.namespace.name } },
      ],
      users: [{ name: "u", user: { token: this.token } }],
    };
    await writeFile(file, JSON.stringify(contents), { mode: 0o600 });
    // What cannot be read is a defect of the test: say so here.
    connect({ path: file });
    return file;
  }
}
