import { routerOf } from "../../component/routers/together.ts";
import type { CapacityPolicy } from "../../config/rollout/capacity-policy.ts";
import { exitCodes, UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import type { ModelSpec } from "../../core/model.ts";
import { namesOfModel } from "../../core/names.ts";
import { collectionPath } from "../../core/object-kind.ts";
import type { Slot } from "../../core/slots.ts";
import { helperDown, helperFailure } from "../../kubernetes/helpers-down.ts";
import type { RolloutContext } from "../context/context.ts";
import { secretValues, without } from "../program/hidden-values.ts";
import type { Desired } from "../program/model-program.ts";
import { routerInput } from "../program/router-input.ts";
import { type Admission, askAdmission, askNew } from "./dry-run.ts";
import { plannedDeployment } from "./planned-deployment.ts";

/**
 * Refuses pods that the API server would refuse: quotas, pod security and policies let a Deployment in and none of its pods, and minutes
 * of waiting would be all that is seen of it.
 * @throws UserError `admission-refused` (exit code 2)
 */
export async function requireAdmitted(
  context: RolloutContext,
  spec: ModelSpec,
  slot: Slot,
  /** A way back is never refused. @default as `rollout.capacity` says */
  policy = context.config.rollout.capacity,
): Promise<Admission | undefined> {
  if (policy === "skip") return undefined;
  const deployment = plannedDeployment(spec, slot);
  if (deployment === undefined) return undefined;
  return await judged(
    context,
    { id: "admission", title: `Ask the API server whether it takes the pods of ${slot}` },
    policy,
    // Whoever refuses may quote what it refuses.
    async () => without(await askAdmission(context, deployment), secretValues(spec)),
    "Change what the configuration says of the pods (`pod.securityContext`, `securityContext`, `resources`, labels), or have the policy changed. `--capacity warn` goes on all the same.",
  );
}

/**
 * Refuses Ingresses that the API server would refuse, where they are new: else pods would run that nobody reaches.
 * @throws UserError `admission-refused` (exit code 2)
 */
export async function requireIngressAdmitted(
  context: RolloutContext,
  { spec, routing }: Desired,
): Promise<void> {
  const policy = context.config.rollout.capacity;
  if (policy === "skip") return;
  const router = routerOf(spec);
  const names = namesOfModel(spec.name, spec.slots, spec.ingress);
  const manifests = router.objects({ ...routerInput(spec), routing });
  const asked = router.refs(names).flatMap(({ kind }, index) => {
    const manifest = manifests[index];
    return manifest === undefined ? [] : [{ path: collectionPath(kind, context.namespace), manifest }];
  });
  await judged(
    context,
    { id: "admission-ingress", title: `Ask the API server whether it takes the ${router.kinds[0].kind}` },
    policy,
    async () => {
      const all = await Promise.all(asked.map(({ path, manifest }) => askNew(context, path, manifest)));
      return {
        refused: all.flatMap(({ refused }) => refused),
        warned: [...new Set(all.flatMap(({ warned }) => warned))],
        unseen: all.flatMap(({ unseen }) => unseen),
      };
    },
    "Change what the configuration says of the Ingress (`ingress`), or have the policy changed. `--capacity warn` goes on all the same.",
  );
}

async function judged(
  { events }: RolloutContext,
  about: { readonly id: string; readonly title: string },
  policy: CapacityPolicy,
  ask: () => Promise<Admission>,
  hint: string,
): Promise<Admission> {
  const found = await step(events, about, ask, describeAdmission);
  for (const message of found.warned)
    events({ type: "warning", code: "admission-warning", message: `The API server warns: ${message}` });
  if (found.refused.length === 0) return found;
  const message = `The API server refuses ${found.refused.map(({ what, words }) => `${what}: ${words}`).join("; ")}`;
  if (policy === "warn") {
    events({ type: "warning", code: "admission-refused", message });
    return found;
  }
  // Who is down refuses nothing, and says nothing of the configuration.
  const down = found.refused
    .map(({ words }) => helperFailure(words))
    .find((failure) => failure !== undefined);
  if (down !== undefined) throw helperDown(down, "Nothing was changed");
  throw new UserError({
    code: "admission-refused",
    message: `${message}\nNothing was changed.`,
    hint,
    exitCode: exitCodes.usage,
    details: { refused: found.refused },
  });
}

/** What the API server said, and what it could not be asked. */
export function describeAdmission({ refused, unseen }: Admission): string {
  const said =
    refused.length === 0
      ? `nothing is ${unseen.length === 0 ? "" : "known "}against it`
      : refused.map(({ what, words }) => `it refuses ${what}: ${words}`).join("; ");
  return unseen.length === 0 ? said : `${said}. Not looked at: ${unseen.join("; ")}`;
}
