import { messageOf, UserError } from "../../core/errors.ts";
import { step } from "../../core/events.ts";
import { splitOf } from "../../core/routing.ts";
import { KubernetesApiError } from "../../kubernetes/api.ts";
import type { UpProof } from "../commands/prove-up.ts";
import { refuseUnfinished } from "../context/adoption-guard.ts";
import type { RolloutContext } from "../context/context.ts";
import { locationOf } from "../context/deployed.ts";
import { withPermissions } from "../context/permissions.ts";
import { type Lock, withLock } from "../lock/lock.ts";
import type { Observation } from "../observe/observation.ts";
import { observe } from "../observe/observe.ts";
import { modelSpec, planUp } from "../plan/desired.ts";
import { checkStack } from "../plan/require-stack.ts";
import { recordedPlace } from "../program/state-record.ts";
import type { Adoption } from "../record/adoption.ts";
import type { RolloutRecord } from "../record/record.ts";
import { wayAsked } from "../release/way-asked.ts";
import {
  adoptedKinds,
  foundObject,
  foundOf,
  patchAdopted,
  podRuns,
  podsOf,
  wouldRoll,
} from "./adopted-objects.ts";
import { answersChanged, seenAnswers, settledAnswers } from "./answers.ts";
import { compareWithConfig, gainedByConfig, lossRefused, lostByConfig, notConfigured } from "./compare.ts";
import { describeFound } from "./describe.ts";
import { discover, refused } from "./discover.ts";
import type { Discovered } from "./discovered.ts";
import { handOver } from "./field-owners.ts";
import { takeInventory } from "./inventory.ts";
import type { PreparedAdoption } from "./prepared.ts";
import { proveAdopted, proveBefore } from "./prove-adoption.ts";
import { giveBack } from "./undo.ts";

export interface AdoptOptions {
  /** Go on where later releases would be without something that runs. @default false */
  readonly acceptLoss?: boolean;
}

/**
 * Looks at everything and writes nothing.
 * @throws UserError `adoption-refused`, `adoption-unfinished`, `from-unknown` (exit code 2)
 */
export async function prepareAdoption(
  context: RolloutContext,
  options: AdoptOptions = {},
): Promise<PreparedAdoption> {
  const { config, namespace, api, signal } = context;
  const record = await withPermissions(context, ["up", "engine"], () => context.store.read(), "configured");
  const former = record?.adoption;
  if (record !== undefined && former !== undefined) {
    if (former.state === "giving-back") refuseUnfinished(record);
    if (former.state === "adopted") return { state: "done", adoption: former };
    return { state: "resume", adoption: former, record };
  }
  const location = locationOf(context, record);
  const names = location.names;
  if (record !== undefined || names === undefined || notConfigured(config)) {
    throw refused(names?.ingress ?? config.name, namespace, [
      record === undefined
        ? {
            reason: `${config.file} does not name the objects to take over (slots.blue.deployment and slots.blue.service)`,
            remedy: "write a configuration that does: modelswitch init --from ingress/NAME",
          }
        : {
            reason: `the model ${config.name} is managed by modelswitch already, with objects of its own`,
            remedy: "make a configuration of another name: modelswitch init --from ingress/NAME --name OTHER",
          },
    ]);
  }
  const found = discover(names.ingress, config.name, await takeInventory(api, namespace, signal));
  const described = describeFound(found, config.name, config.server);
  compareWithConfig(config, described, namespace);
  const lost = lostByConfig(config, found);
  if (lost.length > 0 && options.acceptLoss !== true) throw lossRefused(config, lost);
  await refuseRoll(context, found);
  const observation = await observe(location);
  const adoption: Adoption = {
    slot: "blue",
    state: "adopting",
    at: new Date(context.clock.now()).toISOString(),
    by: context.operator,
    release: 1,
    deployment: {
      ...foundObject(found.deployment),
      selector: found.deployment.spec?.selector?.matchLabels ?? {},
    },
    service: { ...foundObject(found.service), selector: found.selector },
    ...(found.budget === undefined ? {} : { budgeted: true }),
    ingress: { ...foundObject(found.ingress), spec: found.ingress.spec ?? {} },
    ...(found.autoscaler === undefined
      ? {}
      : { autoscaler: { ...foundObject(found.autoscaler), spec: found.autoscaler.spec ?? {} } }),
  };
  return {
    state: "begin",
    adoption,
    record: recordOf(context, adoption, observation),
    found,
    described: { ...described, unsaid: lost, gained: gainedByConfig(config, found) },
  };
}

async function refuseRoll({ api, namespace }: RolloutContext, found: Discovered): Promise<void> {
  const name = found.deployment.metadata?.name ?? "";
  let why: string;
  try {
    if (!(await wouldRoll({ api, namespace }, found.deployment))) return;
    why = `declaring the Deployment ${name} as it is would change it (an admission webhook changes what is applied)`;
  } catch (error) {
    if (!(error instanceof KubernetesApiError) || error.status === 403) throw error;
    why = `the Deployment ${name} cannot be declared as it is: ${error.message}`;
  }
  throw refused(found.ingress.metadata?.name ?? "", namespace, [
    { reason: why, remedy: "mend the Deployment so that `kubectl apply --server-side` leaves it unchanged" },
  ]);
}

function recordOf(context: RolloutContext, adoption: Adoption, observation: Observation): RolloutRecord {
  const { record } = planUp({
    config: context.config,
    record: undefined,
    observation,
    now: adoption.at,
    by: context.operator,
    allowLiveChange: false,
    allowLiveStop: false,
    adopting: adoption,
  });
  return record;
}

export interface AdoptResult {
  readonly adoption: Adoption;
  /** Nothing was left to do. */
  readonly alreadyThere: boolean;
  readonly proof: UpProof | undefined;
  readonly pods: number;
  readonly totalMs: number;
}

/**
 * Takes over what the configuration names. `confirmed` is asked with the plan, before anything is written. Each step is
 * idempotent and none of them touches traffic or pods, so a run that was stopped anywhere is simply run again.
 */
export async function adopt(
  context: RolloutContext,
  confirmed: (prepared: PreparedAdoption) => Promise<boolean>,
  options: AdoptOptions = {},
): Promise<AdoptResult> {
  const startedAt = context.clock.now();
  const prepared = await prepareAdoption(context, options);
  if (prepared.state === "done") {
    return {
      adoption: prepared.adoption,
      alreadyThere: true,
      proof: undefined,
      pods: 0,
      totalMs: context.clock.now() - startedAt,
    };
  }
  if (!(await confirmed(prepared))) {
    throw new UserError({ code: "declined", message: "Nothing was changed, since the answer was no." });
  }
  await context.prepareSecrets();
  await checkStack(context, modelSpec(prepared.record, context.namespace));
  return await withLock(context.lockOptions("adopt"), async (lock) => {
    const stopYielding = lock.yieldTo(wayAsked(context));
    // What was shown is what is done: somebody may have worked on it while the question was open.
    const again = await prepareAdoption(context, options);
    if (again.state === "done") throw changedMeanwhile(context);
    if (prepared.state === "begin" && again.state === "begin" && differs(prepared, again)) {
      throw changedMeanwhile(context);
    }
    const { pods, proof, adoption } = await takeOver(context, { lock, stopYielding }, again);
    return { adoption, alreadyThere: false, proof, pods, totalMs: context.clock.now() - startedAt };
  });
}

function differs(
  a: Extract<PreparedAdoption, { state: "begin" }>,
  b: Extract<PreparedAdoption, { state: "begin" }>,
): boolean {
  const facts = ({ adoption, described, found }: typeof a) => [
    described,
    podRuns(found.pods),
    adoptedKinds(adoption).map((kind) => {
      const { uid, labels, annotations } = foundOf(adoption, kind);
      return [kind, uid, labels, annotations];
    }),
  ];
  return JSON.stringify(facts(a)) !== JSON.stringify(facts(b));
}

function changedMeanwhile({ config }: RolloutContext): UserError {
  return new UserError({
    code: "adoption-changed",
    message: `What ${config.name} runs was changed by somebody between the plan and its confirmation; nothing was written.`,
    hint: "Run `modelswitch adopt` again and look at the new plan.",
  });
}

async function takeOver(
  context: RolloutContext,
  { lock, stopYielding }: { readonly lock: Lock; readonly stopYielding: () => void },
  prepared: Extract<PreparedAdoption, { state: "begin" | "resume" }>,
) {
  const { events, namespace, api, store } = context;
  const { adoption, record } = prepared;
  const place = { api, namespace };
  const location = locationOf(context, record);
  const before = await podsOf(context, record);
  if (prepared.state === "begin") await proveBefore(context, record);
  const look = async () => await seenAnswers(context, record.settings, await observe(location));
  const answered = await look();

  await step(events, { id: "adopt-record", title: "Remember how everything was found" }, async () => {
    const state = recordedPlace(context.config, namespace, await context.state.place());
    await store.update((stored) => stored ?? { ...record, ...(state === undefined ? {} : { state }) });
  });
  await step(events, { id: "adopt-owners", title: "Hand the ownership of the fields over" }, async () => {
    for (const kind of adoptedKinds(adoption)) {
      await patchAdopted(place, adoption, kind, (object) =>
        object.metadata?.labels?.["app.kubernetes.io/managed-by"] === "modelswitch"
          ? undefined
          : handOver(object, kind === "deployment" && adoption.autoscaler !== undefined),
      );
    }
  });
  await lock.check();
  const { routing } = await observe(location);
  if (routing === undefined || splitOf(routing)[adoption.slot] !== 100) throw changedMeanwhile(context);
  const stack = await context.openStack(context.signal);
  await step(
    events,
    { id: "adopt-import", title: "Take the objects into Pulumi's state as they are; make the empty slot" },
    () => stack.up({ spec: modelSpec(record, namespace, "import"), routing }),
  );
  await lock.check();
  await step(events, { id: "adopt-apply", title: "Label them as part of the model" }, () =>
    stack.up({ spec: modelSpec(record, namespace), routing }),
  );
  const after = await step(
    events,
    { id: "adopt-check", title: "Look whether the same pods run" },
    () => podsOf(context, record),
    (runs) => `${runs.length} pods, none restarted`,
  );
  if (JSON.stringify(before) !== JSON.stringify(after)) warnOfPods(context, before, after);
  const changes = await step(
    events,
    { id: "adopt-answers", title: "Look whether the ingress answers as before" },
    () => settledAnswers(context, look, answered),
    (found) => (found.length === 0 ? `${answered.length} ways to ask, all as before` : found.join("; ")),
  );
  const takeBack = async (why: readonly string[]) => {
    // What was seen while it was stopped says nothing.
    context.signal.throwIfAborted();
    // This is a way back itself.
    stopYielding();
    await giveBack(context, lock, record, adoption);
    return answersChanged(context.config.name, why);
  };
  if (changes.length > 0) throw await takeBack(changes);
  const proof = await proveAdopted(context, record, routing).catch(async (error: unknown) => {
    // It was proved before: now it has to be, too.
    throw await takeBack([messageOf(error)]);
  });
  const adopted: Adoption = { ...adoption, state: "adopted" };
  await step(events, { id: "adopt-finish", title: "Remember that it is done" }, async () => {
    await store.update((stored) => stored && { ...stored, applying: false, adoption: adopted });
  });
  return { pods: after.length, proof, adoption: adopted };
}

/** Pods come and go by themselves too: an evicted one is no reason to fail, but nobody should overlook it. */
function warnOfPods(context: RolloutContext, before: readonly string[], after: readonly string[]): void {
  const gone = before.filter((run) => !after.includes(run)).map((run) => run.split(" ")[0]);
  context.events({
    type: "warning",
    code: "pods-changed",
    message: `While it was taken over, pods changed: ${gone.join(", ") || "there are more of them"}. Nothing that was written makes pods restart.`,
    hint: "Look at their events: kubectl describe pod.",
  });
}
