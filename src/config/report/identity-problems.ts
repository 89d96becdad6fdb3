import { identityPlaces } from "../../core/identity-path.ts";
import type { Effective, LocatedProblem } from "../file/effective.ts";
import { resolveConfig } from "../model/resolve.ts";
import type { ModelswitchConfig } from "../model/types.ts";
import { refusal } from "../parts/problem.ts";

/**
 * An identity that no request through the Ingress reaches. It is no rule of the file's shape: what is live already must be left by any
 * command, whatever the file says by now. Pure.
 */
export function identityProblems({ input, target, problems }: Effective, file: string): LocatedProblem[] {
  if (problems.length > 0) return [];
  const config = input as unknown as ModelswitchConfig;
  const { identity, server, ingress } = resolveConfig(config, {
    file,
    kubeconfig: {},
    contextNamespace: undefined,
  });
  const asked = identity ?? server.identity;
  if (asked === undefined) return [];
  const message = refusal(() => identityPlaces(ingress, asked));
  return message === undefined
    ? []
    : [{ file, path: ["identity"], message, environment: target.environment }];
}
