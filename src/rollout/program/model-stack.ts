import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BlueGreenModelArgs } from "../../component/arguments.ts";
import type { ResolvedConfig } from "../../config/model/types.ts";
import type { EventSink } from "../../core/events.ts";
import type { ModelSpec } from "../../core/model.ts";
import { liveSlot, type Routing } from "../../core/routing.ts";
import type { OpenStack, OperationResult, SecretsSource, Stack, StackOptions } from "../../engine/stack.ts";
import type { StackResource } from "../../engine/stack-resource.ts";
import type { TakeIn } from "../../engine/take-in.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import type { DeclaredObject } from "./declared-objects.ts";
import { declaredObjects, typeOf } from "./declared-objects.ts";
import { requireEngineRights, routerOfRights } from "./engine-rights.ts";
import { findHandChanges } from "./find-hand-changes.ts";
import { describeHandChange, type HandChange, ofWhatServes } from "./hand-changes.ts";
import { hidingErrors, hidingEvents, secretValues, withoutVariables } from "./hidden-values.ts";
import { providerPatience } from "./provider-patience.ts";
import { putBack } from "./put-back.ts";
import { listed, refuseForeign, type UnknownObject, unknownObjects } from "./unknown-objects.ts";

/** What a run of Pulumi makes true. */
export interface Desired {
  readonly spec: ModelSpec;
  readonly routing: Routing;
}

export interface UpWriteOptions {
  /** @default nothing */
  readonly putsBack?: (change: HandChange) => boolean;
}

/** The Pulumi stack of one model; one opened stack serves any number of writes. */
export interface ModelStack {
  preview(desired: Desired): Promise<OperationResult>;
  /**
   * Takes the model's own objects that the state does not know into it, then makes everything what is desired. Of what somebody changed by
   * hand Pulumi replaces what is declared of the objects that it writes; `putsBack` names what is to be as declared in any case.
   * @throws UserError `object-taken`, `permission-denied` before anything is written
   */
  up(desired: Desired, options?: UpWriteOptions): Promise<OperationResult>;
  /**
   * Brings the state up to the cluster: all of it, or what it holds of these objects. What somebody changed by hand is in the state then, and
   * the next `up` puts it back.
   */
  refresh(desired: Desired, only?: readonly DeclaredObject[]): Promise<OperationResult>;
  /** `desired`: what the model is declared as; what is there of it and the state does not know is taken into it first. */
  destroy(options: { readonly remove: boolean; readonly desired?: Desired }): Promise<OperationResult>;
  /** Whether the state knows of anything that was applied. */
  hasState(): Promise<boolean>;
  /** Looks for everything that changing the state needs, and for the state: what it holds; `undefined`: there is none. */
  check(): Promise<readonly StackResource[] | undefined>;
  /** What the state holds of the cluster. */
  resources(): Promise<readonly StackResource[]>;
  /** As the engine's stacks have it. */
  exportState: Stack["exportState"];
  importState: Stack["importState"];
  /** Removes what is kept of the state in the cluster, after `destroy`. Returns whether there was anything. */
  removeState(): Promise<boolean>;
}

export interface OpenModelStackOptions {
  readonly config: Pick<ResolvedConfig, "folder" | "pulumi" | "kubeconfig" | "deadlines">;
  readonly namespace: string;
  /** The cluster that Pulumi writes to. */
  readonly api: KubernetesApi;
  readonly secrets: SecretsSource;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly events: EventSink;
  readonly signal: AbortSignal;
  /** @default the engine's */
  readonly open?: OpenStack;
  /** There may be a state that cannot be read: that it knows nothing says nothing then. @default false */
  readonly isUnread?: boolean;
}

const notStarted =
  "Pulumi was not started: its Kubernetes provider would wait for ever for what it may not see.";

/** Opens the stack of a model. Loads Pulumi, which takes a second: only call it when something is to be written. */
export async function openModelStack(given: OpenModelStackOptions): Promise<ModelStack> {
  let desired: Desired | undefined;
  const secrets = () => (desired === undefined ? [] : secretValues(desired.spec));
  const options = { ...given, events: hidingEvents(given.events, secrets) };
  const { config, namespace } = options;
  const open = options.open ?? (await import("../../engine/open.ts")).openStack;
  /** What the state was last seen to have: reading it may cost a download. */
  let known: string | undefined;
  const settings: StackOptions = {
    project: config.pulumi.project,
    stack: config.pulumi.stack ?? namespace,
    folder: config.folder,
    ...(config.pulumi.backendUrl === undefined ? {} : { backendUrl: config.pulumi.backendUrl }),
    secrets: options.secrets,
    program: async () =>
      desired === undefined ? undefined : await declare(desired, config.deadlines.readyMs),
    leaves: async () => {
      if (desired === undefined) return [];
      const { spec, routing } = desired;
      const changes = ofWhatServes(await findHandChanges(options, spec, routing), routing);
      return changes.map(({ kind, name }) => ({ kind, id: `${namespace}/${name}` }));
    },
    kubeconfig: config.kubeconfig,
    // What others own of a model's objects is told, and refused where it matters: it must not stop a run half-way.
    env: { ...options.env, PULUMI_K8S_ENABLE_PATCH_FORCE: "true" },
    events: options.events,
    signal: options.signal,
  };
  const stack: Stack = await open(settings);
  const with_ = async (next: Desired, work: () => Promise<OperationResult>) => {
    desired = next;
    return withoutVariables(await hidingErrors(secrets(), work));
  };
  /** Asked here, too, since not every command asks beforehand: a way back doesn't. */
  const requireRights = async (objects: readonly { readonly kind: string }[]) => {
    const present = objects.map(({ kind }) => kind);
    await requireEngineRights(options, present, routerOfRights(desired?.spec), { before: notStarted });
  };
  return {
    preview: (next) =>
      with_(next, async () => {
        const ours = await ownUnknown(options, await stack.resources(), next.spec);
        if (ours.length === 0) return await stack.preview();
        if (options.isUnread !== true) {
          options.events({
            type: "warning",
            code: "taken-into-state",
            message: `Pulumi's state does not know ${listed(ours)}, which belong to ${next.spec.name}: \`up\` takes them into it as they are.`,
            hint: "Where another machine has the state, run the commands there, or name its backend.",
          });
        }
        return await previewTaken(options, (more) => open({ ...settings, ...more }), next.spec);
      }),
    up: (next, { putsBack } = {}) =>
      with_(next, async () => {
        const objects = declaredObjects(next.spec);
        const declared = JSON.stringify(objects);
        if (declared !== known) {
          const inState = await stack.resources();
          await requireRights([...objects, ...inState]);
          await takeInOwn(options, stack, next, inState);
        }
        const result = await tellingUndone(options, next, putsBack, () => stack.up());
        known = declared;
        return result;
      }),
    refresh: (next, only) =>
      with_(next, async () => {
        await requireRights([]);
        return await stack.refresh(only?.map(({ kind, name }) => ({ kind, id: `${namespace}/${name}` })));
      }),
    destroy: async ({ remove, desired: last }) => {
      const inState = await stack.resources();
      await requireRights([...inState, ...(last === undefined ? [] : declaredObjects(last.spec))]);
      if (last !== undefined) await takeInOwn(options, stack, last, inState);
      return await stack.destroy({ remove });
    },
    check: () => stack.check(),
    resources: () => stack.resources(),
    exportState: (how) => stack.exportState(how),
    importState: (exported) => stack.importState(exported),
    removeState: () => stack.removeState(),
    hasState: async () => (await stack.outputs()) !== undefined,
  };
}

/** What the program declares, what the state does not know and what is there all the same becomes a resource as it is. */
async function takeInOwn(
  options: OpenModelStackOptions,
  stack: Stack,
  { spec }: Desired,
  inState: readonly StackResource[],
): Promise<void> {
  const ours = await ownUnknown(options, inState, spec);
  if (ours.length === 0) return;
  options.events({
    type: "warning",
    code: "taken-into-state",
    message: `Pulumi's state does not know ${listed(ours)}, which belong to ${spec.name}: they are taken into it as they are.`,
    hint: "Where another machine or program has a state of them, use that one alone from now on, or this one.",
  });
  await stack.takeIn(takenOf(spec, ours));
}

/**
 * Runs `work`, in which Pulumi replaces without a word what others have changed of the objects that it writes, and says what that was. What
 * `putsBack` names is put back even where Pulumi had no reason to write.
 */
async function tellingUndone(
  options: OpenModelStackOptions,
  desired: Desired,
  putsBack: UpWriteOptions["putsBack"],
  work: () => Promise<OperationResult>,
): Promise<OperationResult> {
  const look = () => findHandChanges(options, desired.spec, desired.routing);
  const changed = await look();
  if (changed.length === 0) return await work();
  try {
    const result = await work();
    const left = (await look()).filter((one) => putsBack?.(one) === true);
    if (left.length > 0) await putBack(options, desired, left);
    return result;
  } finally {
    const left = await look().catch(() => changed);
    tellUndone(options.events, changed, left);
  }
}

function tellUndone(events: EventSink, changed: readonly HandChange[], left: readonly HandChange[]): void {
  const undone = changed.filter(
    (one) =>
      !left.some(({ kind, name, path }) => kind === one.kind && name === one.name && path === one.path),
  );
  for (const object of new Set(undone.map(({ kind, name }) => `${kind} ${name}`))) {
    const fields = undone.filter(({ kind, name }) => `${kind} ${name}` === object);
    events({
      type: "warning",
      code: "hand-change-undone",
      message: `${object} had been changed by hand, and is as it is declared again. What differed: ${fields.map(describeHandChange).join("; ")}.`,
    });
  }
}

/** @throws UserError `object-taken` */
async function ownUnknown(
  options: OpenModelStackOptions,
  inState: readonly StackResource[],
  spec: ModelSpec,
): Promise<readonly UnknownObject[]> {
  // Objects that are being adopted, or given back, are imported by the program itself.
  if (spec.adopted !== undefined && spec.adopted.phase !== "keep") return [];
  const found = await unknownObjects(options, spec, inState);
  refuseForeign(spec, found);
  return found.ours;
}

function takenOf(spec: ModelSpec, objects: readonly UnknownObject[]): TakeIn {
  return {
    parent: { type: "modelswitch:index:BlueGreenModel", name: spec.name },
    objects: objects.map(({ kind, name, live }) => ({ type: typeOf({ kind }), name, live })),
  };
}

/**
 * A preview beside the state, of a model that the state does not know: what `up` would change once it has taken it in. Providers
 * differ in what they say of objects that are there already.
 */
async function previewTaken(
  options: OpenModelStackOptions,
  open: (more: Partial<StackOptions>) => Promise<Stack>,
  spec: ModelSpec,
): Promise<OperationResult> {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-plan-"));
  try {
    const quiet: EventSink = (event) => {
      if (event.type !== "resource" || event.status === "planned") options.events(event);
    };
    const scratch = await open({
      folder,
      backendUrl: `file://${folder}`,
      secrets: { kind: "passphrase", passphrase: "" },
      events: quiet,
    });
    const { ours } = await unknownObjects(options, spec, []);
    await scratch.takeIn(takenOf(spec, ours));
    return await scratch.preview();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The Pulumi program: the component, and what people and scripts want to know of it. */
async function declare({ spec, routing }: Desired, readyMs: number): Promise<Record<string, unknown>> {
  const { BlueGreenModel } = await import("../../component/blue-green-model.ts");
  const args: BlueGreenModelArgs = {
    namespace: spec.namespace,
    // As in a configuration file: Kubernetes' own objects in it have no types, the API server checks them.
    slots: spec.slots as BlueGreenModelArgs["slots"],
    live: liveSlot(routing),
    routing,
    server: spec.server,
    router: spec.router,
    ingress: spec.ingress,
    previewHeader: spec.previewHeader,
    ...(spec.testers === undefined ? {} : { testers: spec.testers }),
    servicePort: spec.servicePort,
    ...(spec.service === undefined ? {} : { service: spec.service }),
    ...(spec.adopted === undefined ? {} : { adopted: spec.adopted }),
    ...(spec.besides === undefined ? {} : { besides: spec.besides }),
    // Readiness was looked at already, with more patience and better evidence than a hook has.
    guard: false,
  };
  const model = new BlueGreenModel(spec.name, args, { transformations: [providerPatience(readyMs)] });
  return {
    endpoint: model.endpoint,
    url: model.url,
    live: model.live,
    blueService: model.slots.blue.serviceName,
    greenService: model.slots.green.serviceName,
  };
}
