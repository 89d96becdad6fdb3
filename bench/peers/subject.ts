import type { ModelProject } from "../../test/e2e/model-project.ts";

/** How traffic comes to a new release: at once, or with 25, 50 and 100 % for five seconds each. */
export type Way = "jump" | "steps";

/** One system of the field at work: a model with version 1 live behind the ingress, and what may be done with it. */
export interface Subject {
  readonly name: string;
  /** What it does of the two, as the row says it; what is missing it cannot do. */
  readonly ways: Readonly<Partial<Record<Way, string>>>;
  deploy(project: ModelProject, way: Way): Promise<void>;
  /** Brings the version live, from the decision until the system says that it is done. */
  release(project: ModelProject, version: string): Promise<void>;
  /** Moves all traffic to the version that runs beside the live one; `undefined`: it has no such act. */
  readonly moved?: {
    /** Both versions run, the live one has all traffic. */
    prepare(project: ModelProject, version: string): Promise<void>;
    move(project: ModelProject, version: string): Promise<void>;
  };
  /** Goes back from the version that has just been released. */
  back(project: ModelProject, version: string): Promise<void>;
}

export const replicas = 3;
/** Seconds that each step has its share. */
export const stepSeconds = 5;
/** What the rows are called where a subject does what is asked of all. */
export const usualWays = {
  jump: "whole release, in one jump",
  steps: `whole release, 25, 50, 100 %, ${stepSeconds} s each`,
} as const satisfies Record<Way, string>;
export const model = "fraud";
