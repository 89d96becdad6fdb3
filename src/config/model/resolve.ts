import { dirname } from "node:path";
import { routerNamed } from "../../component/routers/factory.ts";
import { custom } from "../../component/servers/custom.ts";
import { presetNamed, presetServer } from "../../component/servers/preset-server.ts";
import { defaults } from "../../core/defaults.ts";
import type { ModelServer, SlotSpec } from "../../core/model.ts";
import type { Slot } from "../../core/slots.ts";
import { counterSources } from "../../gates/traffic.ts";
import type { KubeconfigSource } from "../../kubernetes/connect.ts";
import { smokePathOf } from "../rollout/default-gates.ts";
import { resolveRollout } from "../rollout/rollout.ts";
import type { MetricsConfig, ModelswitchConfig, ReleaseTemplate, ResolvedConfig } from "./types.ts";

/** What is known beside the file: where it is and which cluster is meant. */
export interface Surroundings {
  readonly file: string;
  readonly kubeconfig: KubeconfigSource;
  /** Namespace of the kubeconfig's context. */
  readonly contextNamespace: string | undefined;
  /** The environment that was chosen; `undefined` where the file declares none. */
  readonly environment?: string | undefined;
}

/** Fills in every default. Pure. */
export function resolveConfig(config: ModelswitchConfig, around: Surroundings): ResolvedConfig {
  // What belongs to the proof alone is in no record and no state: headers may be credentials.
  const {
    endpoints,
    controllerReplicas = defaults.ingress.controllerReplicas,
    probe,
    ...ingress
  } = config.ingress;
  const namespace = config.namespace ?? around.contextNamespace;
  const server = modelServer(config);
  const router = config.router ?? defaults.router;
  return {
    file: around.file,
    folder: dirname(around.file),
    name: config.name,
    environment: around.environment,
    namespace,
    server,
    runs: whatRuns(config),
    initialLive: config.live ?? defaults.live,
    ingress,
    endpoints: (endpoints ?? []).map((endpoint) => endpoint.replace(/\/$/, "")),
    controllerReplicas,
    ...(probe?.headers === undefined ? {} : { probeHeaders: probe.headers }),
    servicePort: config.servicePort ?? defaults.servicePort,
    ...(config.service === undefined ? {} : { service: config.service }),
    router,
    previewHeader: config.previewHeader ?? defaults.previewHeader,
    ...(config.routing === undefined ? {} : { routing: config.routing }),
    identity: config.identity,
    kubeconfig: around.kubeconfig,
    pulumi: {
      ...pulumiStack(config, namespace, around.environment),
      backendUrl: config.pulumi?.backend,
      secretsProvider: config.pulumi?.secretsProvider,
    },
    deadlines: {
      readyMs: (config.deadlines?.ready ?? defaults.deadlines.ready) * 1000,
      proofMs: (config.deadlines?.proof ?? defaults.deadlines.proof) * 1000,
    },
    ...(config.metrics === undefined ? {} : { metrics: resolveMetrics(config.metrics) }),
    rollout: resolveRollout(config.rollout, {
      smokePath: smokePathOf({
        server,
        ingress,
        canPreview: routerNamed(router).capabilities.header,
      }),
    }),
  };
}

function resolveMetrics({ controller, prometheus }: MetricsConfig): NonNullable<ResolvedConfig["metrics"]> {
  return {
    ...(controller === undefined ? {} : { controller: counterSources(controller) }),
    ...(prometheus === undefined
      ? {}
      : { prometheus: { url: prometheus.url, headers: prometheus.headers ?? {} } }),
  };
}

/**
 * Names of the Pulumi project and stack: one stack per model and environment. Without environments the namespace tells the
 * stacks of one model apart.
 */
export function pulumiStack(
  config: Pick<ModelswitchConfig, "name" | "pulumi">,
  namespace: string | undefined,
  environment: string | undefined,
): { readonly project: string; readonly stack: string } {
  return {
    project: config.pulumi?.project ?? `modelswitch-${config.name}`,
    stack: config.pulumi?.stack ?? environment ?? namespace ?? "default",
  };
}

function modelServer({ name, server }: ModelswitchConfig): ModelServer {
  if (server === undefined) return custom({});
  if (typeof server === "string") return presetNamed(server, name);
  return "preset" in server ? presetServer(server, name) : server;
}

function whatRuns(config: ModelswitchConfig): ResolvedConfig["runs"] {
  // The contents of config files were put in when the configuration was read.
  const slots = config.slots as Readonly<Record<Slot, SlotSpec>> | undefined;
  if (config.release !== undefined) {
    const release = config.release as ReleaseTemplate;
    const idleReplicas = config.idleReplicas ?? defaults.idleReplicas;
    return { form: "template", release, idleReplicas, ...(slots === undefined ? {} : { slots }) };
  }
  if (slots !== undefined) return { form: "slots", slots };
  throw new Error("A validated configuration has `release` or `slots`.");
}
