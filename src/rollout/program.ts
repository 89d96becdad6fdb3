import type { BlueGreenModelArgs } from "../component/arguments.ts";
import type { ResolvedConfig } from "../config/types.ts";
import type { EventSink } from "../core/events.ts";
import type { ModelSpec } from "../core/model.ts";
import { liveSlot, type Routing } from "../core/routing.ts";
import type { OpenStack, OperationResult, SecretsSource, Stack, StackResource } from "../engine/stack.ts";

/** What a run of Pulumi makes true. */
export interface Desired {
  readonly spec: ModelSpec;
  readonly routing: Routing;
}

/** The Pulumi stack of one model; one opened stack serves any number of writes. */
export interface ModelStack {
  preview(desired: Desired): Promise<OperationResult>;
  up(desired: Desired): Promise<OperationResult>;
  refresh(desired: Desired): Promise<OperationResult>;
  destroy(options: { readonly remove: boolean }): Promise<OperationResult>;
  /** Whether the state knows of anything that was applied. */
  hasState(): Promise<boolean>;
  /** What the state holds of the cluster. */
  resources(): Promise<readonly StackResource[]>;
}

export interface OpenModelStackOptions {
  readonly config: Pick<ResolvedConfig, "folder" | "pulumi" | "kubeconfig">;
  readonly namespace: string;
  readonly secrets: SecretsSource;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  /** @default the engine's */
  readonly open?: OpenStack;
}

/** Opens the stack of a model. Loads Pulumi, which takes a second: only call it when something is to be written. */
export async function openModelStack(options: OpenModelStackOptions): Promise<ModelStack> {
  const { config, namespace } = options;
  const open = options.open ?? (await import("../engine/open.ts")).openStack;
  let desired: Desired | undefined;
  const stack: Stack = await open({
    project: config.pulumi.project,
    stack: config.pulumi.stack ?? namespace,
    folder: config.folder,
    ...(config.pulumi.backendUrl === undefined ? {} : { backendUrl: config.pulumi.backendUrl }),
    secrets: options.secrets,
    program: async () => (desired === undefined ? undefined : await declare(desired)),
    kubeconfig: config.kubeconfig,
    env: options.env,
    events: options.events,
    signal: options.signal,
  });
  const with_ = (next: Desired, work: () => Promise<OperationResult>) => {
    desired = next;
    return work();
  };
  return {
    preview: (next) => with_(next, () => stack.preview()),
    up: (next) => with_(next, () => stack.up()),
    refresh: (next) => with_(next, () => stack.refresh()),
    destroy: ({ remove }) => stack.destroy({ remove }),
    resources: () => stack.resources(),
    hasState: async () => (await stack.outputs()) !== undefined,
  };
}

/** The Pulumi program: the component, and what people and scripts want to know of it. */
async function declare({ spec, routing }: Desired): Promise<Record<string, unknown>> {
  const { BlueGreenModel } = await import("../component/blue-green-model.ts");
  const model = new BlueGreenModel(spec.name, {
    namespace: spec.namespace,
    // As in a configuration file: Kubernetes' own objects in it have no types, the API server checks them.
    slots: spec.slots as BlueGreenModelArgs["slots"],
    live: liveSlot(routing),
    routing,
    server: spec.server,
    router: spec.router,
    ingress: spec.ingress,
    previewHeader: spec.previewHeader,
    servicePort: spec.servicePort,
    ...(spec.service === undefined ? {} : { service: spec.service }),
    ...(spec.adopted === undefined ? {} : { adopted: spec.adopted }),
    // Readiness was looked at already, with more patience and better evidence than a hook has.
    guard: false,
  });
  return {
    endpoint: model.endpoint,
    url: model.url,
    live: model.live,
    blueService: model.slots.blue.serviceName,
    greenService: model.slots.green.serviceName,
  };
}
