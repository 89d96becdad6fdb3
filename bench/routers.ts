import { routerNamed } from "../src/component/routers/factory.ts";
import { objectPath } from "../src/core/object-kind.ts";
import type { KubernetesObject } from "../src/kubernetes/api.ts";
import { connect } from "../src/kubernetes/connect.ts";
import { startContour } from "../test/e2e/conformance/contour.ts";
import { type Front, fronts } from "../test/e2e/conformance/fronts.ts";
import { installKinds, type RunningController, startTraefik } from "../test/e2e/controllers.ts";
import { ModelProject } from "../test/e2e/model-project.ts";
import { until, versionAt } from "../test/e2e/test-cluster.ts";
import { line, summarise } from "./statistics.ts";
import { type Slot, turns, version } from "./switch.ts";
import { lastOldAnswer } from "./watcher.ts";

/** A model behind a router's controller, with both slots running. */
async function deployed(front: Front, controller: RunningController): Promise<ModelProject> {
  const project = await ModelProject.create(`bench-${front.router}`);
  project.ingressUrl = controller.url;
  await front.prepare(project, controller);
  await project.configure({ router: front.router, ingress: front.ingress(project, controller) });
  await project.result(["up"]);
  await until("blue answers", async () => (await versionAt(project.host, {}, project.ingressUrl)) === "1");
  return project;
}

type Watched = Pick<ModelProject, "host" | "ingressUrl">;
const watched = ({ host, ingressUrl }: Watched, from: Slot) => ({
  url: ingressUrl,
  host,
  old: version[from],
});

/** From the write that moves traffic, as the command reports it, until the last old answer. */
async function ours(project: ModelProject, runs: number): Promise<number[]> {
  const times: number[] = [];
  for (let index = 0; index < runs; index++) {
    for (const [from, to] of turns) {
      let wroteAt = Number.NaN;
      const last = await lastOldAnswer(watched(project, from), async () => {
        const { exitCode, stdout } = await project.command(["switch", to, "--json"]);
        if (exitCode !== 0) throw new Error(stdout);
        wroteAt = writtenAt(stdout);
      });
      times.push(Math.max(0, (last ?? wroteAt) - wroteAt));
    }
  }
  return times;
}

interface StepEvent {
  readonly type?: string;
  readonly id?: string;
  readonly state?: string;
  readonly time?: string;
}

function writtenAt(stdout: string): number {
  const events = stdout
    .split("\n")
    .filter((text) => text.startsWith("{"))
    .map((text) => JSON.parse(text) as StepEvent);
  const moved = events.find(
    ({ type, id, state }) =>
      type === "step" && state === "started" && (id === "write-shift" || id === "write-switch"),
  );
  if (moved?.time === undefined) throw new Error("The command does not say when it moved traffic.");
  return Date.parse(moved.time);
}

/** What differs between the objects of all traffic on blue and on green: a patch of it by hand moves traffic as well. */
async function byHand(front: Front, project: ModelProject, runs: number): Promise<number[]> {
  const { api, name: namespace } = project.namespace;
  const router = routerNamed(front.router);
  const paths = router.refs("fraud").map((ref) => objectPath(namespace, ref));
  const seen = () => Promise.all(paths.map((path) => api.json<KubernetesObject>({ method: "GET", path })));
  const objects = { blue: await seen(), green: [] as KubernetesObject[] };
  await project.result(["switch", "green"]);
  objects.green = await seen();
  await project.result(["switch", "blue"]);
  const changed = paths.flatMap((path, index) => {
    const of = (slot: Slot) => partOf(objects[slot][index]);
    return JSON.stringify(of("blue")) === JSON.stringify(of("green")) ? [] : [{ path, of }];
  });
  const times: number[] = [];
  for (let index = 0; index < runs; index++) {
    for (const [from, to] of turns) {
      const startedAt = performance.timeOrigin + performance.now();
      const last = await lastOldAnswer(watched(project, from), async () => {
        for (const { path, of } of changed) {
          const contentType = "application/merge-patch+json";
          await api.json({ method: "PATCH", path, contentType, body: of(to) });
        }
      });
      times.push(Math.max(0, (last ?? startedAt) - startedAt));
    }
  }
  return times;
}

const partOf = (object: KubernetesObject | undefined) => ({
  metadata: { annotations: object?.metadata?.annotations ?? {} },
  spec: object?.spec ?? {},
});

/** Per router: from the write that moves traffic until the last old answer, beside a patch of the same objects by hand. */
export async function writing(runs: number): Promise<string[]> {
  const kubeconfigPath = process.env.MODELSWITCH_TEST_KUBECONFIG ?? "";
  await installKinds(connect({ path: kubeconfigPath }).api);
  const lines: string[] = [];
  const controllers = {
    traefik: await startTraefik(kubeconfigPath),
    contour: await startContour(kubeconfigPath),
  };
  try {
    for (const front of fronts) {
      if (front.controller === "envoy-gateway" || routerNamed(front.router).isForGrpc === true) continue;
      const controller = controllers[front.controller];
      // A patch by hand makes somebody else the owner: it has a model of its own.
      const patched = await deployed(front, controller);
      const floor = summarise(await byHand(front, patched, runs));
      await patched.remove();
      lines.push(line(`floor: ${front.router}, patched by hand until the last old answer`, floor));
      const project = await deployed(front, controller);
      lines.push(
        line(
          `${front.router}: written until the last old answer`,
          summarise(await ours(project, runs)),
          floor,
        ),
      );
      await project.remove();
    }
  } finally {
    for (const running of Object.values(controllers)) await running.stop();
  }
  return lines;
}
