/** One object of the cluster in the state. */
export interface StackResource {
  readonly kind: string;
  /** `NAMESPACE/NAME`. */
  readonly id: string;
  /** Leaves the state without being deleted. */
  readonly retained: boolean;
}
