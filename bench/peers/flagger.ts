import type { ModelProject } from "../../test/e2e/model-project.ts";
import { apply, ingress, labels, patch, podTemplate, untilObject, workload } from "./manifests.ts";
import { model, type Subject, usualWays, type Way } from "./subject.ts";

interface Canary {
  readonly status?: { readonly phase?: string; readonly lastPromotedSpec?: string };
}

const canaryPath = (project: ModelProject) =>
  `/apis/flagger.app/v1beta1/namespaces/${project.namespace.name}/canaries/${model}`;
const deploymentPath = (project: ModelProject) =>
  `/apis/apps/v1/namespaces/${project.namespace.name}/deployments/${model}`;

async function promotedSpec(project: ModelProject): Promise<string | undefined> {
  const found = await project.namespace.api.find(canaryPath(project));
  return (found as Canary | undefined)?.status?.lastPromotedSpec;
}

async function promote(project: ModelProject, version: string): Promise<void> {
  const before = await promotedSpec(project);
  await patch(project, deploymentPath(project), { spec: { template: podTemplate(version) } });
  await untilObject<Canary>(
    project,
    canaryPath(project),
    "Flagger has promoted the Deployment",
    ({ status }) => status?.phase === "Succeeded" && status.lastPromotedSpec !== before,
  );
}

/** Seconds; a shorter one it takes for this, without a word: https://github.com/fluxcd/flagger/blob/v1.36.1/pkg/apis/flagger/v1beta1/canary.go */
const leastInterval = 10;

/** Flagger with its nginx provider, without metrics. It has no act to move traffic by hand, and no way back but another release. */
export const flaggerCanary: Subject = {
  name: "Flagger",
  ways: {
    jump: usualWays.jump,
    steps: `whole release, 25, 50, 100 %, ${leastInterval} s each, which is its shortest`,
  },
  async deploy(project, way: Way) {
    await apply(
      project,
      {
        apiVersion: "apps/v1",
        kind: "Deployment",
        metadata: { name: model, labels },
        spec: workload("1"),
      },
      ingress(project, model),
      {
        apiVersion: "flagger.app/v1beta1",
        kind: "Canary",
        metadata: { name: model },
        spec: {
          provider: "nginx",
          targetRef: { apiVersion: "apps/v1", kind: "Deployment", name: model },
          ingressRef: { apiVersion: "networking.k8s.io/v1", kind: "Ingress", name: model },
          service: { port: 80, targetPort: 8080 },
          // In one jump: its own word for a release without steps.
          ...(way === "jump" ? { skipAnalysis: true } : {}),
          analysis: { interval: `${leastInterval}s`, threshold: 1, stepWeights: [25, 50, 100], metrics: [] },
        },
      },
    );
    await untilObject<Canary>(
      project,
      canaryPath(project),
      "Flagger has taken the Deployment over",
      ({ status }) => status?.phase === "Initialized",
    );
  },
  release: promote,
  back: promote,
};
