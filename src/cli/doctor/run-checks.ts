import { routerNamed } from "../../component/routers/factory.ts";
import type { FoundConfig } from "../../config/file/read.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import type { Clock } from "../../core/clock.ts";
import { within } from "../../core/clock.ts";
import { defaults } from "../../core/defaults.ts";
import { messageOf, UserError } from "../../core/errors.ts";
import { configuredNames, objectNames } from "../../core/names.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import type { Connection } from "../../kubernetes/connect.ts";
import { forbiddenError } from "../../kubernetes/forbidden.ts";
import { seeClaims } from "../../rollout/ingress/shared-hosts.ts";
import type { Probe } from "../../rollout/proof/probe-request.ts";
import { stateSecretsOf } from "../rbac/manifests.ts";
import { type DescribedIngressClass, findControllers, findIngressClasses } from "../router/found.ts";
import type { Check, Verdict } from "./check.ts";
import { failed, ok, skipped } from "./check.ts";
import { frontChecks } from "./front-checks.ts";
import * as cluster from "./observe-cluster.ts";
import { type ProviderFacts, providerVerdict } from "./provider.ts";
import { routerVerdict } from "./router-check.ts";
import { sharedHostVerdict } from "./shared-host.ts";
import * as verdicts from "./verdicts.ts";

/** The world that is checked; tests give their own. */
export interface DoctorWorld {
  readonly clock: Clock;
  readonly nodeVersion: string;
  /** `undefined`: there is no configuration file, and none was named. */
  readConfig(): Promise<FoundConfig | undefined>;
  /** Chooses the cluster and prepares the connection; sends nothing. */
  connect(config: FoundConfig | undefined): Promise<Connection>;
  resolve(config: FoundConfig, connection: Connection | undefined): ResolvedConfig;
  pulumi(signal: AbortSignal): Promise<verdicts.PulumiFacts>;
  provider(signal: AbortSignal): Promise<ProviderFacts>;
  machine(): Promise<verdicts.HostMachine>;
  /** Addresses of a host name. */
  lookup(host: string): Promise<readonly string[]>;
  readonly probe: Probe;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface DoctorOptions {
  readonly signal: AbortSignal;
  /** Looks at the prerequisites of the local cluster even if a cluster is reached. */
  readonly localCluster: boolean;
  /** Milliseconds for one check. @default 5000 */
  readonly deadlineMs?: number;
  /** Told of each check that is over. */
  readonly onCheck?: (check: Check) => void;
}

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** Runs all checks at once, each for itself: one that fails or hangs takes no other with it. */
export async function runChecks(world: DoctorWorld, options: DoctorOptions): Promise<Check[]> {
  const deadlineMs = options.deadlineMs ?? 5000;
  const run = async (
    name: string,
    title: string,
    work: (signal: AbortSignal) => Promise<Verdict>,
  ): Promise<Check> => {
    const verdict = await withDeadline(world.clock, deadlineMs, options.signal, work);
    const check = { name, title, ...verdict };
    options.onCheck?.(check);
    return check;
  };

  const config = await outcome(world.readConfig());
  const read = "value" in config ? config.value : undefined;
  const connection = await outcome(world.connect(read));
  const connected = "value" in connection ? connection.value : undefined;
  const resolved =
    read === undefined
      ? undefined
      : await outcome(Promise.resolve().then(() => world.resolve(read, connected)));
  const model = resolved !== undefined && "value" in resolved ? resolved.value : undefined;
  const namespace = model?.namespace ?? connected?.namespace ?? "default";

  const version = run("api-server", "API server", async (signal) => {
    if (connected === undefined) return skipped("no cluster is chosen");
    return verdicts.versionVerdict(connected.api.server, await cluster.gitVersion(connected.api, signal));
  });
  const reached = version.then(({ state, detail }) =>
    state === "failed" && !detail.includes("older") ? undefined : connected,
  );
  /** Checks that ask the cluster wait for the first answer: five refusals of one closed port help nobody. */
  const ofCluster = (
    name: string,
    title: string,
    work: (api: Connection["api"], signal: AbortSignal) => Promise<Verdict>,
  ) =>
    reached.then((there) =>
      run(name, title, async (signal) =>
        there === undefined || (await version).state === "skipped"
          ? skipped("no cluster is reached")
          : work(there.api, signal),
      ),
    );
  const ofModel = (
    name: string,
    title: string,
    work: (config: ResolvedConfig, signal: AbortSignal) => Promise<Verdict>,
  ) =>
    run(name, title, async (signal) =>
      model === undefined ? skipped("no valid configuration") : work(model, signal),
    );

  let listed: Promise<readonly DescribedIngressClass[] | undefined> | undefined;
  const classesOnce = (api: Connection["api"], signal: AbortSignal) => {
    listed ??= findIngressClasses(api, signal);
    return listed;
  };

  return Promise.all([
    run("node", "Node.js", async () => verdicts.nodeVerdict(world.nodeVersion)),
    run("pulumi", "Pulumi CLI", async (signal) => verdicts.pulumiVerdict(await world.pulumi(signal))),
    run("kubernetes-provider", "Kubernetes provider", async (signal) =>
      providerVerdict(await world.provider(signal)),
    ),
    run("config", "Configuration", async () => configVerdict(config, resolved)),
    run("kubeconfig", "Cluster chosen", async () => connectionVerdict(connection)),
    version,
    ofCluster("namespace", "Namespace", async (api, signal) =>
      verdicts.namespaceVerdict(namespace, await cluster.findNamespace(api, namespace, signal)),
    ),
    ofCluster("permissions", "Permissions", async (api, signal) =>
      verdicts.permissionsVerdict(
        namespace,
        await cluster.lackingPermissions(
          api,
          namespace,
          model === undefined ? undefined : configuredNames(model),
          signal,
          model === undefined ? undefined : stateSecretsOf(model),
          model === undefined ? undefined : routerNamed(model.router),
        ),
      ),
    ),
    ofCluster("ingress-class", "IngressClass", async (api, signal) => {
      const [classes, retired] = await Promise.all([
        classesOnce(api, signal),
        cluster.retiredControllers(api, signal),
      ]);
      if (model !== undefined && !routerNamed(model.router).byIngressClass)
        return skipped(`the router "${model.router}" has no IngressClass`);
      const { className = defaults.ingress.className, classAnnotation } = model?.ingress ?? {};
      if (classAnnotation === true) return verdicts.annotatedClassVerdict(className);
      return verdicts.ingressClassVerdict(className, classes, retired);
    }),
    ofCluster("router", "Router for what runs", async (api, signal) =>
      routerVerdict(await findControllers(api, signal, classesOnce(api, signal)), model),
    ),
    ofModel("image", "Model server image", async (config) => verdicts.imagesVerdict(config)),
    ofModel("identity", "Slots can be told apart", async (config) => verdicts.identityVerdict(config)),
    ofModel("host", "Host", async (config) => verdicts.hostVerdict(config.ingress.host)),
    reached.then((there) =>
      run("shared-host", "Host and path are the model's alone", async (signal) => {
        if (model === undefined) return skipped("no valid configuration");
        if (there === undefined || (await version).state === "skipped")
          return skipped("no cluster is reached");
        const { api } = there;
        return sharedHostVerdict(
          await seeClaims(
            api,
            namespace,
            model.ingress,
            configuredNames(model),
            signal,
            undefined,
            routerNamed(model.router),
          ),
          namespace,
        );
      }),
    ),
    ofModel("dns", "DNS", async (config, signal) => {
      const host = config.ingress.host;
      const [found, there] = await Promise.all([outcome(world.lookup(host)), reached]);
      const ingress =
        there === undefined
          ? undefined
          : await cluster.ingressAddresses(
              there.api,
              namespace,
              config.ingress.name ?? objectNames(config.name).ingress,
              world.lookup,
              signal,
              routerNamed(config.router),
            );
      return verdicts.dnsVerdict({
        host,
        resolved: "value" in found ? { addresses: found.value } : { problem: codeOf(found.error) },
        ingress,
        endpoints: config.endpoints,
      });
    }),
    ...frontChecks(world, { run, reached, model, namespace }),
    reached.then((there) =>
      run("local-cluster", "Local cluster possible", async () =>
        there === undefined || connected === undefined || options.localCluster
          ? verdicts.localClusterVerdict(await world.machine())
          : skipped("not needed: a cluster is reached (--local-cluster checks it anyway)"),
      ),
    ),
  ]);
}

async function outcome<T>(work: Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work };
  } catch (error) {
    return { error };
  }
}

function configVerdict(
  config: Outcome<FoundConfig | undefined>,
  resolved: Outcome<ResolvedConfig> | undefined,
): Verdict {
  if ("error" in config) return problem(config.error);
  if (config.value === undefined) {
    return {
      state: "warning",
      detail: "there is no configuration file here",
      hint: "Write one with `modelswitch init`.",
    };
  }
  if (resolved !== undefined && "error" in resolved) return problem(resolved.error);
  return ok(config.value.file);
}

function connectionVerdict(connection: Outcome<Connection>): Verdict {
  if ("error" in connection) return problem(connection.error);
  return ok(`context ${connection.value.context}, namespace ${connection.value.namespace}`);
}

/** An error as the verdict of a check. */
function problem(error: unknown): Verdict {
  if (error instanceof UserError) return failed(error.message, error.hint ?? "");
  if (error instanceof KubernetesApiError) {
    const denied = error.status === 403 ? forbiddenError(error.message) : undefined;
    return failed(denied?.message ?? error.message, denied?.hint ?? "");
  }
  return failed(messageOf(error), "");
}

function codeOf(error: unknown): string {
  if (error instanceof Error && "code" in error) return String(error.code);
  return messageOf(error);
}

async function withDeadline(
  clock: Clock,
  deadlineMs: number,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<Verdict>,
): Promise<Verdict> {
  outer.throwIfAborted();
  const stop = new AbortController();
  const signal = AbortSignal.any([outer, stop.signal]);
  const looked = work(signal).catch((error: unknown) => {
    if (outer.aborted) throw error;
    return problem(error);
  });
  try {
    const verdict = await within({ clock, signal: outer }, deadlineMs, looked);
    outer.throwIfAborted();
    return (
      verdict ??
      failed(
        `no answer within ${deadlineMs / 1000} s`,
        "Try again; the network or the cluster may be overloaded.",
      )
    );
  } finally {
    stop.abort();
  }
}
