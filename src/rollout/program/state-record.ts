import type { ResolvedConfig } from "../../config/model/types.ts";
import { withoutCredentials } from "../../core/urls.ts";
import type { KeptPlace } from "../../engine/kept-copy.ts";
import type { StoredHead } from "../../state/cluster-state.ts";
import type { StackId } from "../../state/names.ts";
import type { StateRecord } from "../record/record.ts";

/** Where Pulumi's state of a model is. */
export type StatePlace =
  /** The configuration says where (`pulumi.backend`), or how it is encrypted (`pulumi.secretsProvider`): it stays so. */
  | { readonly kind: "configured" }
  /** In the project's folder, as before there was a place in the cluster. */
  | {
      readonly kind: "folder";
      /** `there`: it began there; `refused`: the account lacks rights on Secrets. */
      readonly why: "there" | "refused";
      /** Whether the account may move it into the cluster. */
      readonly mayMove: boolean;
      /** Whether there is one. */
      readonly isThere: boolean;
    }
  /** In Secrets beside the model. */
  | { readonly kind: "cluster"; readonly kept: KeptPlace; readonly stored: StoredHead | undefined };

/** The stack of a model. */
export function stackOf({ pulumi }: Pick<ResolvedConfig, "pulumi">, namespace: string): StackId {
  return { project: pulumi.project, stack: pulumi.stack ?? namespace };
}

/** What the rollout record says of the state, so that another machine finds it; `undefined`: only this machine has it. */
export function recordedPlace(
  config: Pick<ResolvedConfig, "pulumi">,
  namespace: string,
  { kind }: StatePlace,
): StateRecord | undefined {
  const id = stackOf(config, namespace);
  const { backendUrl } = config.pulumi;
  if (kind === "cluster") return { ...id, backend: null };
  if (kind === "folder" || backendUrl === undefined || backendUrl.startsWith("file:")) return undefined;
  return { ...id, backend: withoutCredentials(backendUrl) };
}

/** Where the state is looked for, in words. */
export function describePlace(
  { pulumi, folder }: Pick<ResolvedConfig, "pulumi" | "folder">,
  place: StatePlace,
): string {
  if (place.kind === "cluster") return `the Secret ${place.kept.state.where}`;
  if (place.kind === "configured" && pulumi.backendUrl !== undefined)
    return withoutCredentials(pulumi.backendUrl);
  return `${folder}/.modelswitch/state`;
}

/** Where the record says that it is, in words. */
export function describeRecorded({ project, stack, backend }: StateRecord): string {
  return `${backend ?? "Secrets beside the model"} (stack ${stack} of project ${project})`;
}

/** Whether the record and the configuration mean the same state. Pure. */
export function isSamePlace(recorded: StateRecord, own: StateRecord | undefined): boolean {
  return (
    recorded.backend === own?.backend && recorded.project === own?.project && recorded.stack === own?.stack
  );
}
