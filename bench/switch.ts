import { connect } from "../src/kubernetes/connect.ts";
import { ModelProject } from "../test/e2e/model-project.ts";
import { line, type Summary, summarise, timed } from "./statistics.ts";
import { untilLastOldAnswer } from "./watcher.ts";

export const version = { blue: "1", green: "2" } as const;
export type Slot = keyof typeof version;
/** There and back. */
export const turns = [
  ["blue", "green"],
  ["green", "blue"],
] as const;

export async function patchBackend(project: ModelProject, target: Slot): Promise<void> {
  const { api } = connect({ path: project.namespace.kubeconfigPath });
  await api.json({
    method: "PATCH",
    path: `/apis/networking.k8s.io/v1/namespaces/${project.namespace.name}/ingresses/fraud`,
    contentType: "application/json-patch+json",
    body: [
      { op: "replace", path: "/spec/rules/0/http/paths/0/backend/service/name", value: `fraud-${target}` },
    ],
  });
}

/** The floor has a model of its own: a patch by hand makes somebody else the owner of the backend. */
async function patches(runs: number): Promise<number[]> {
  const project = await ModelProject.create("bench-floor");
  const floor: number[] = [];
  try {
    await project.configure({ router: "plain" });
    await project.result(["up"]);
    for (let index = 0; index < runs; index++) {
      for (const [from, to] of turns) {
        floor.push(await untilLastOldAnswer(project, version[from], () => patchBackend(project, to)));
      }
    }
  } finally {
    await project.remove();
  }
  return floor;
}

/** `switch` and an `up` without change, against the floor: a direct patch of the Ingress until the last old answer. */
export async function switching(runs: number): Promise<string[]> {
  const lines: string[] = [];
  const add = (what: string, durations: readonly number[], floor?: Summary): Summary => {
    const summary = summarise(durations);
    lines.push(line(what, summary, floor));
    return summary;
  };
  const patch = add("floor: patch of the Ingress until the last old answer", await patches(runs));
  for (const router of ["plain", "nginx"] as const) {
    const project = await ModelProject.create(`bench-${router}`);
    try {
      await project.configure({ router });
      await project.result(["up"]);
      const unchanged: number[] = [];
      const whole: number[] = [];
      const visible: number[] = [];
      for (let index = 0; index < runs; index++) {
        unchanged.push(await timed(() => project.result(["up"])));
        for (const [from, to] of turns) {
          visible.push(
            await untilLastOldAnswer(project, version[from], async () => {
              whole.push(await timed(() => project.result(["switch", to])));
            }),
          );
        }
      }
      add(`${router}: switch, start of the command until the last old answer`, visible, patch);
      add(`${router}: switch, whole command, proved`, whole, patch);
      add(`${router}: up without change (goal 2000 ms)`, unchanged);
    } finally {
      await project.remove();
    }
  }
  return lines;
}
