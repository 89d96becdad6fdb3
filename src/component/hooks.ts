import * as pulumi from "@pulumi/pulumi";
import { messageAndHint, UserError } from "../core/errors.ts";
import type { ObjectNames } from "../core/names.ts";
import { noteRefusal } from "../core/refusals.ts";
import type { Slot } from "../core/slots.ts";
import { mayNotLook } from "../kubernetes/api.ts";
import type { Connection } from "../kubernetes/connect.ts";
import type { GuardKubeconfig } from "./arguments.ts";
import { refuseEmptyLiveSlot, refuseRemovedSlot, refuseTakenHost } from "./creation-guard.ts";
import { PodWatch } from "./pod-watch.ts";
import { awaited, kubeconfigFromConfig } from "./provider.ts";
import type { ObservedObject, Router } from "./routers/router.ts";
import {
  type GuardedModel,
  refuseChangedSelector,
  refuseEmptyingSlot,
  refuseUnreadySwitch,
} from "./switch-guard.ts";

/** The guard as options of the resources it guards. */
export interface Guard {
  /** A routing object. The main one is the one that takes hosts and paths; a Service keeps its selector. */
  routing(isMain: boolean, isService: boolean): pulumi.CustomResourceOptions;
  service(): pulumi.CustomResourceOptions;
  deployment(slot: Slot): pulumi.CustomResourceOptions;
  /** What no hook can see, for it is not there any more: rejects where the routing must not be written. */
  readonly registration: Promise<void> | undefined;
}

/** What the program says of the model. */
export interface Declared {
  readonly namespace: pulumi.Input<string> | undefined;
  /** The most replicas of each slot that an autoscaler sizes. */
  readonly autoscaled: Readonly<Partial<Record<Slot, number>>>;
  /** Slots that get traffic. */
  readonly live: readonly Slot[];
  /** Slots whose pods are not made here. */
  readonly withoutImage: readonly Slot[];
  /** Says something on behalf of the component. */
  readonly say: (message: string) => Promise<void>;
}

interface KubernetesInputs {
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly uid?: string };
  readonly spec?: { readonly replicas?: number; readonly selector?: unknown };
}

/** Attaches the guard's checks as Pulumi hooks that run before objects are made or changed, and never in a preview. */
export function guardHooks(
  model: string,
  names: ObjectNames,
  router: Router,
  guard: boolean | GuardKubeconfig,
  declared: Declared,
): Guard {
  if (guard === false || !hooksSupported()) {
    return { routing: () => ({}), service: () => ({}), deployment: () => ({}), registration: undefined };
  }
  const connection = connectOnce(guard === true ? undefined : guard);
  const switched = hook(async (args) => {
    const [written, state] = await inputsOf(args);
    const { api, namespace } = await connection();
    await refuseUnreadySwitch(api, {
      model,
      names,
      router,
      autoscaled: declared.autoscaled,
      namespace: state.metadata?.namespace ?? written.metadata?.namespace ?? namespace,
      written: written as ObservedObject,
      ...(state.metadata?.uid === undefined ? {} : { uid: state.metadata.uid }),
    });
  });
  const watch = new PodWatch({ names, say: declared.say });
  const selected = hook(async (args) => {
    const before = (await awaited<unknown>(args.oldInputs)) as KubernetesInputs | undefined;
    const [after] = await inputsOf(args);
    const name = after.metadata?.name ?? "";
    refuseChangedSelector(name, before?.spec?.selector, after.spec?.selector);
  });
  const made = hook(async (args) => {
    const [written] = await inputsOf(args);
    await ifReachable(declared.say, `Whether another ${router.kinds[0].kind} has the host`, async () => {
      const { api, namespace } = await connection();
      const guarded = { model, names, router, namespace: written.metadata?.namespace ?? namespace };
      await refuseTakenHost(api, guarded, written as ObservedObject);
    });
  });
  return {
    registration: registration({ model, names, router }, declared, connection),
    routing: (isMain, isService) => ({
      hooks: {
        beforeUpdate: [switched, ...(isService ? [selected] : [])],
        ...(isMain ? { beforeCreate: [made] } : {}),
      },
    }),
    service: () => ({ hooks: { beforeUpdate: [selected] } }),
    deployment: (slot) => {
      const changed = hook(async (args) => {
        const [written, state] = await inputsOf(args);
        if (written.spec?.replicas !== 0) return;
        const { api, namespace } = await connection();
        await refuseEmptyingSlot(
          api,
          {
            model,
            names,
            router,
            namespace: state.metadata?.namespace ?? written.metadata?.namespace ?? namespace,
          },
          slot,
        );
      });
      const created = hook(async (args) => {
        const [written] = await inputsOf(args);
        if (written.spec?.replicas === 0 && declared.live.includes(slot))
          refuseEmptyLiveSlot(model, names.deployment[slot], slot);
      });
      const begun = hook(async (args) => {
        const [written, state] = await inputsOf(args);
        await watch.begin(slot, async () => {
          const { api, namespace } = await connection();
          const own = state.metadata?.namespace ?? written.metadata?.namespace;
          return { api, namespace: own ?? namespace };
        });
      });
      const ready = hook(async () => watch.end(slot));
      return {
        hooks: {
          beforeUpdate: [changed, begun],
          beforeCreate: [created, begun],
          afterUpdate: [ready],
          afterCreate: [ready],
        },
      };
    },
  };
}

/** Looks for Deployments that the program does not declare any more, although their slots carry traffic. */
function registration(
  model: Omit<GuardedModel, "namespace">,
  { namespace, live, withoutImage, say }: Declared,
  connection: () => Promise<Connection>,
): Promise<void> | undefined {
  // In a preview not even the namespace has to be known.
  if (withoutImage.length === 0 || pulumi.runtime.isDryRun()) return undefined;
  return ifReachable(say, "Whether a slot with traffic loses its Deployment", async () => {
    const { api, namespace: ambient } = await connection();
    const guarded = { ...model, namespace: (await awaited(namespace)) ?? ambient };
    for (const slot of withoutImage) await refuseRemovedSlot(api, guarded, slot, live.includes(slot));
  }).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    noteRefusal("", error);
    throw new pulumi.RunError(messageAndHint(error));
  });
}

/** What is about to be written, and the object in the state. Values that hold secrets arrive as outputs. */
async function inputsOf(args: pulumi.ResourceHookArgs): Promise<[KubernetesInputs, KubernetesInputs]> {
  const written = (await awaited<unknown>(args.newInputs)) as KubernetesInputs | undefined;
  const state = (await awaited<unknown>(args.oldOutputs)) as KubernetesInputs | undefined;
  return [written ?? {}, state ?? {}];
}

function hook(check: (args: pulumi.ResourceHookArgs) => Promise<void>): pulumi.ResourceHookFunction {
  return async (args) => {
    try {
      await check(args);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      noteRefusal(args.urn, error);
      // The engine passes on nothing but the message: under `pulumi up` what to do next has to be in it.
      throw new Error(messageAndHint(error));
    }
  };
}

/** What cannot be looked at before an object is made is said; a switch is refused then. */
async function ifReachable(say: Declared["say"], what: string, check: () => Promise<void>): Promise<void> {
  try {
    await check();
  } catch (error) {
    const isOurs = error instanceof UserError && unreachable.includes(error.code);
    const isForbidden = mayNotLook(error);
    if (!isOurs && !isForbidden) throw error;
    await say(
      `${what} was not looked at: ${error.message} Say how to reach the cluster of the component's provider: guard: { path: …, context: … }.`,
    );
  }
}

const unreachable = ["cluster-unreachable", "kubeconfig-invalid", "kubeconfig-missing", "context-unknown"];

/** Reads the configuration at once, while the program runs, and connects when the first check needs it. */
function connectOnce(given: GuardKubeconfig | undefined): () => Promise<Connection> {
  const source = given === undefined ? kubeconfigFromConfig() : awaited(given);
  let connection: Promise<Connection> | undefined;
  return () => {
    connection ??= (async () => {
      // The Kubernetes client takes half a second to load; most updates don't need it.
      const { connect } = await import("../kubernetes/connect.ts");
      return connect(await source);
    })();
    return connection;
  };
}

/** Pulumi's mocks have no hooks; programs that are unit-tested with them must work all the same. */
function hooksSupported(): boolean {
  const monitor: unknown = pulumi.runtime.getMonitor();
  return typeof monitor === "object" && monitor !== null && "registerResourceHook" in monitor;
}
