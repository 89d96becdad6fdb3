import { type PresetName, presetNames } from "../../component/servers/preset-server.ts";
import { hostProblem, imageProblem } from "../../config/model/host.ts";
import { closestName } from "../../config/model/rules.ts";
import { modelNamePattern } from "../../core/names.ts";
import type { Proposal } from "../router/propose.ts";

export type ServerChoice = PresetName | "custom";

export const isServerChoice = (answer: string): answer is ServerChoice =>
  answer === "custom" || presetNames.some((name) => name === answer);

/** All that `init` writes into the configuration. */
export interface InitAnswers {
  readonly name: string;
  readonly image: string;
  readonly host: string;
  readonly server: ServerChoice;
  readonly namespace: string | undefined;
  readonly className: string | undefined;
  /** What fits the controller that was found. @default the default router */
  readonly routing?: Proposal | undefined;
}

/** What a running application tells about itself, as far as it could be read. */
export interface Prefill {
  readonly image?: string;
  readonly host?: string;
  readonly className?: string;
  readonly routing?: Proposal;
  readonly name?: string;
  /** Port of the model server's container. */
  readonly port?: number;
}

/** What is wrong with an answer, or `undefined`. */
export const answerProblems: Readonly<
  Record<"name" | "image" | "host", (answer: string) => string | undefined>
> = {
  name: (answer) =>
    modelNamePattern.test(answer)
      ? undefined
      : `"${answer}" is no model name: lower-case letters, digits and -, at most 52 characters, first a letter`,
  image: imageProblem,
  host: hostProblem,
};

/** A model name out of the name of a folder or an Ingress. */
export function suggestName(from: string): string {
  return closestName(from) || "model";
}
