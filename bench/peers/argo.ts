import type { ModelProject } from "../../test/e2e/model-project.ts";
import { apply, ingress, patch, podTemplate, service, untilObject, workload } from "./manifests.ts";
import { model, type Subject, stepSeconds, usualWays, type Way } from "./subject.ts";

interface Rollout {
  readonly metadata: { readonly generation: number };
  readonly status?: {
    readonly phase?: string;
    readonly observedGeneration?: string;
    readonly currentPodHash?: string;
    readonly stableRS?: string;
    readonly pauseConditions?: unknown;
  };
}

const pathOf = (project: ModelProject) =>
  `/apis/argoproj.io/v1alpha1/namespaces/${project.namespace.name}/rollouts/${model}`;

const untilRollout = (
  project: ModelProject,
  what: string,
  isSo: (status: NonNullable<Rollout["status"]>) => boolean,
) =>
  untilObject<Rollout>(project, pathOf(project), what, ({ metadata, status }) => {
    const isSeen = status?.observedGeneration === String(metadata.generation);
    return status !== undefined && isSeen && isSo(status);
  });

const untilHealthy = (project: ModelProject) =>
  untilRollout(
    project,
    "the Rollout is healthy",
    ({ phase, currentPodHash, stableRS }) => phase === "Healthy" && currentPodHash === stableRS,
  );

const rollout = (strategy: unknown) => ({
  apiVersion: "argoproj.io/v1alpha1",
  kind: "Rollout",
  metadata: { name: model },
  spec: { ...workload("1"), strategy, rollbackWindow: { revisions: 3 } },
});

const wants = (version: string) => ({ spec: { template: podTemplate(version) } });

/** Canary with the annotations that modelswitch writes, too. */
export const argoCanary: Subject = {
  name: "Argo Rollouts, canary",
  ways: usualWays,
  async deploy(project, way: Way) {
    const pause = { pause: { duration: `${stepSeconds}s` } };
    const steps =
      way === "jump"
        ? [{ setWeight: 100 }]
        : [{ setWeight: 25 }, pause, { setWeight: 50 }, pause, { setWeight: 100 }, pause];
    await apply(
      project,
      ...["stable", "canary"].map((name) => service(`${model}-${name}`)),
      ingress(project, `${model}-stable`),
      rollout({
        canary: {
          stableService: `${model}-stable`,
          canaryService: `${model}-canary`,
          trafficRouting: { nginx: { stableIngress: model } },
          steps,
        },
      }),
    );
    await untilHealthy(project);
  },
  async release(project, version) {
    await patch(project, pathOf(project), wants(version));
    await untilHealthy(project);
  },
  async back(project, to) {
    await patch(project, pathOf(project), wants(to));
    await untilHealthy(project);
  },
};

/** The version whose ReplicaSet is made last. */
const newer = "2";

async function wantPaused(project: ModelProject, version: string): Promise<void> {
  await patch(project, pathOf(project), wants(version));
  await untilRollout(
    project,
    "the Rollout waits to be promoted",
    ({ phase, pauseConditions }) => phase === "Paused" && pauseConditions !== undefined,
  );
}

/** What `kubectl argo rollouts promote` writes. */
async function promote(project: ModelProject): Promise<void> {
  await patch(project, `${pathOf(project)}/status`, { status: { pauseConditions: null } });
  await untilHealthy(project);
}

/** Blue-green by the selector of the active Service; the old pods stay for an hour. */
export const argoBlueGreen: Subject = {
  name: "Argo Rollouts, blue-green",
  ways: { jump: usualWays.jump },
  async deploy(project) {
    await apply(
      project,
      ...["active", "preview"].map((name) => service(`${model}-${name}`)),
      ingress(project, `${model}-active`),
      rollout({
        blueGreen: {
          activeService: `${model}-active`,
          previewService: `${model}-preview`,
          autoPromotionEnabled: false,
          scaleDownDelaySeconds: 3600,
        },
      }),
    );
    await untilHealthy(project);
  },
  async release(project, version) {
    await wantPaused(project, version);
    await promote(project);
  },
  moved: {
    async prepare(project, version) {
      if (version === newer) await wantPaused(project, version);
    },
    // To the older of two it goes back at once, without a pause: https://argo-rollouts.readthedocs.io/en/stable/features/rollback/
    async move(project, version) {
      if (version === newer) await promote(project);
      else await argoBlueGreen.back(project, version);
    },
  },
  async back(project, to) {
    // What `kubectl argo rollouts undo` writes.
    await patch(project, pathOf(project), wants(to));
    await untilHealthy(project);
  },
};
