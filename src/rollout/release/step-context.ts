import type { RolloutPlan, RolloutState } from "../../core/rollout/state.ts";
import type { Routing } from "../../core/routing.ts";
import type { RolloutContext } from "../context/context.ts";
import type { ProofSubject } from "../ingress/proof-subject.ts";
import type { Lock } from "../lock/lock.ts";
import type { Observation } from "../observe/observation.ts";
import type { ModelStack } from "../program/model-stack.ts";
import type { Journal } from "../record/journal.ts";
import type { RolloutRecord } from "../record/record.ts";
import type { StepTiming } from "../traffic/traffic.ts";

/** What one step works with. */
export interface Acting {
  readonly context: RolloutContext;
  readonly record: RolloutRecord;
  readonly plan: RolloutPlan;
  readonly state: RolloutState;
  readonly observation: Observation;
  readonly routing: Routing;
  readonly lock: Lock;
  readonly stack: () => Promise<ModelStack>;
  readonly journal: Journal;
  /** Aborts when somebody wants the traffic back: then nothing is proved any more. @default never */
  readonly stopProof?: AbortSignal | undefined;
  /** Is told how each step of the traffic went. */
  readonly onStep?: ((timing: StepTiming, subject: ProofSubject) => void) | undefined;
}
