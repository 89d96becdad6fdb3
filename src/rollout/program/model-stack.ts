import type { ResolvedConfig } from "../../config/model/types.ts";
import type { EventSink } from "../../core/events.ts";
import type { OpenStack, OperationResult, SecretsSource, Stack, StackOptions } from "../../engine/stack.ts";
import type { StackResource } from "../../engine/stack-resource.ts";
import type { KubernetesApi } from "../../kubernetes/api.ts";
import type { DeclaredObject } from "./declared-objects.ts";
import { declaredObjects } from "./declared-objects.ts";
import { requireEngineRights, routerOfRights } from "./engine-rights.ts";
import { findHandChanges } from "./find-hand-changes.ts";
import { ofWhatServes } from "./hand-changes.ts";
import { hidingErrors, hidingEvents, secretValues, withoutVariables } from "./hidden-values.ts";
import { type Desired, declare } from "./model-program.ts";
import { ownUnknown, previewTaken, takeInOwn } from "./take-in-own.ts";
import { tellingUndone, type UpWriteOptions } from "./tell-undone.ts";
import { listed } from "./unknown-objects.ts";

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
