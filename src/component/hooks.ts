import * as pulumi from "@pulumi/pulumi";
import { UserError } from "../core/errors.ts";
import type { ObjectNames } from "../core/names.ts";
import { noteRefusal } from "../core/refusals.ts";
import type { Slot } from "../core/slots.ts";
import type { Connection } from "../kubernetes/connect.ts";
import type { GuardKubeconfig } from "./arguments.ts";
import { awaited, kubeconfigFromConfig } from "./provider.ts";
import type { ObservedIngress, Router } from "./routers/router.ts";
import { refuseChangedSelector, refuseEmptyingSlot, refuseUnreadySwitch } from "./switch-guard.ts";

/** The guard as options of the resources it guards. */
export interface Guard {
  readonly ingress: pulumi.CustomResourceOptions;
  service(name: string): pulumi.CustomResourceOptions;
  deployment(slot: Slot): pulumi.CustomResourceOptions;
}

interface KubernetesInputs {
  readonly metadata?: { readonly name?: string; readonly namespace?: string; readonly uid?: string };
  readonly spec?: { readonly replicas?: number; readonly selector?: unknown };
}

/** Attaches the guard's checks as Pulumi hooks that run before updates, and never in a preview. */
export function guardHooks(
  model: string,
  names: ObjectNames,
  router: Router,
  guard: boolean | GuardKubeconfig,
  autoscaled: Readonly<Partial<Record<Slot, number>>> = {},
): Guard {
  if (guard === false || !hooksSupported()) {
    return { ingress: {}, service: () => ({}), deployment: () => ({}) };
  }
  const connection = connectOnce(guard === true ? undefined : guard);
  return {
    ingress: beforeUpdate(async (args) => {
      const [written, state] = await inputsOf(args);
      const { api, namespace } = await connection();
      await refuseUnreadySwitch(api, {
        model,
        names,
        router,
        autoscaled,
        namespace: state.metadata?.namespace ?? written.metadata?.namespace ?? namespace,
        written: written as ObservedIngress,
        ...(state.metadata?.uid === undefined ? {} : { uid: state.metadata.uid }),
      });
    }),
    service: (name) =>
      beforeUpdate(async (args) => {
        const before = (await awaited<unknown>(args.oldInputs)) as KubernetesInputs | undefined;
        const [after] = await inputsOf(args);
        refuseChangedSelector(name, before?.spec?.selector, after.spec?.selector);
      }),
    deployment: (slot) =>
      beforeUpdate(async (args) => {
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
      }),
  };
}

/** What is about to be written, and the object in the state. Values that hold secrets arrive as outputs. */
async function inputsOf(args: pulumi.ResourceHookArgs): Promise<[KubernetesInputs, KubernetesInputs]> {
  const written = (await awaited<unknown>(args.newInputs)) as KubernetesInputs | undefined;
  const state = (await awaited<unknown>(args.oldOutputs)) as KubernetesInputs | undefined;
  return [written ?? {}, state ?? {}];
}

function beforeUpdate(check: (args: pulumi.ResourceHookArgs) => Promise<void>): pulumi.CustomResourceOptions {
  const hook = async (args: pulumi.ResourceHookArgs) => {
    try {
      await check(args);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      noteRefusal(args.urn, error);
      // The engine passes on nothing but the message: under `pulumi up` what to do next has to be in it.
      throw new Error([error.message, error.hint].filter(Boolean).join(" "));
    }
  };
  return { hooks: { beforeUpdate: [hook] } };
}

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
