import type { KubernetesApi, KubernetesObject } from "../kubernetes/api.ts";
import type { DeploymentObservation, PodProblem } from "./observation.ts";

/** An object that somebody waits for. */
export interface WaitedPlace {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly name: string;
  /** The one that is meant, where it is known: another cluster may have one of the same name. */
  readonly uid?: string | undefined;
  /** Where in the object values stand that must not be told, as pods may in their logs. @default nowhere */
  readonly secretPaths?: readonly (readonly (string | number)[])[];
  readonly signal: AbortSignal;
}

/** What is seen of an object that is waited for and not there yet. */
export interface Unready {
  readonly object: KubernetesObject;
  /** What is missing, for example `1 of 2 replicas ready`. */
  readonly reasons: readonly string[];
  readonly problems: readonly PodProblem[];
  /** What pods without a problem are at. */
  readonly waiting: readonly PodProblem[];
  /** Those of the problems that waiting may not mend. */
  readonly lasting: readonly PodProblem[];
  readonly deployment?: DeploymentObservation;
  /** It has come to a bad end by itself. @default false */
  readonly hasFailed?: boolean;
}

/** `undefined`: it is ready, not there, or another one. */
export type LookAt = (place: WaitedPlace) => Promise<Unready | undefined>;

/** The object, if it is the one that is meant. */
export async function meant<T extends KubernetesObject>(
  { api, uid, signal }: WaitedPlace,
  path: string,
): Promise<T | undefined> {
  const found = await api.find<T>(path, { signal });
  return uid !== undefined && found?.metadata?.uid !== uid ? undefined : found;
}
