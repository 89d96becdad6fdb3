import { DyingNode } from "./dying-node.ts";
import type { ModelProject } from "./model-project.ts";
import { until } from "./test-cluster.ts";

/** How a release goes bad after it is live in green, while blue is warm. */
export interface Badness {
  /** Before the release; returns more arguments for it. */
  readonly prepare?: () => Promise<readonly string[]>;
  readonly spoil: () => Promise<void>;
  /** What ends when clients are on the good slot again. */
  readonly whenBack?: () => Promise<void>;
  /** Takes away what would spoil the next release as well. */
  readonly cure?: () => Promise<void>;
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status?: {
    readonly containerStatuses?: readonly { readonly state?: { readonly waiting?: { reason?: string } } }[];
  };
}

async function listPods({ namespace }: ModelProject, slot: "blue" | "green"): Promise<Pod[]> {
  const { name, api } = namespace;
  const list = await api.json<{ items: Pod[] }>({
    method: "GET",
    path: `/api/v1/namespaces/${name}/pods`,
    query: { labelSelector: `version=${slot}` },
  });
  return list.items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

export async function podsOf(project: ModelProject, slot: "blue" | "green"): Promise<string[]> {
  return (await listPods(project, slot)).map(({ metadata }) => metadata.name);
}

async function post({ namespace }: ModelProject, pod: string, path: string): Promise<void> {
  const { name, api } = namespace;
  const proxied = `/api/v1/namespaces/${name}/pods/${pod}:8080/proxy/${path}`;
  await api.request({ method: "POST", path: proxied, timeoutMs: 5_000 }).catch(() => undefined);
}

/** Every pod of a slot turns, while it goes on saying that it is ready. */
export async function turnPods(project: ModelProject, slot: "blue" | "green", how: string): Promise<void> {
  for (const pod of await podsOf(project, slot)) await post(project, pod, `turn/${how}`);
}

const turned =
  (how: string) =>
  (project: ModelProject): Badness => ({ spoil: () => turnPods(project, "green", how) });

/** Ends the servers as often as they come, until Kubernetes waits before it starts them again. */
function crashLoop(project: ModelProject): Badness {
  const isLooping = async () => {
    const pods = await listPods(project, "green");
    const waiting = pods.map(({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason);
    return waiting.length > 0 && waiting.every((reason) => reason === "CrashLoopBackOff");
  };
  return {
    spoil: () =>
      until("the pods of green crash again and again", async () => {
        for (const pod of await podsOf(project, "green")) await post(project, pod, "exit");
        return await isLooping();
      }),
  };
}

async function deletePods(project: ModelProject): Promise<void> {
  const { name, api } = project.namespace;
  for (const pod of await podsOf(project, "green")) {
    const path = `/api/v1/namespaces/${name}/pods/${pod}`;
    await api.request({ method: "DELETE", path, body: { gracePeriodSeconds: 0 } });
  }
}

async function scaleToNothing(project: ModelProject): Promise<void> {
  const { name, api } = project.namespace;
  await api.json({
    method: "PATCH",
    path: `/apis/apps/v1/namespaces/${name}/deployments/fraud-green/scale`,
    contentType: "application/merge-patch+json",
    body: { spec: { replicas: 0 } },
  });
  await until("the pods of green are gone", async () => (await podsOf(project, "green")).length === 0);
}

/** All pods die at once, and the namespace takes no new ones. */
function deadAndRefused(project: ModelProject): Badness {
  const { name, api } = project.namespace;
  const quotas = `/api/v1/namespaces/${name}/resourcequotas`;
  return {
    spoil: async () => {
      await api.json({
        method: "POST",
        path: quotas,
        body: {
          apiVersion: "v1",
          kind: "ResourceQuota",
          metadata: { name: "nothing-new" },
          spec: { hard: { pods: "0" } },
        },
      });
      await until("the quota is in force", async () => {
        const quota = await api.find<{ status?: { hard?: object } }>(`${quotas}/nothing-new`);
        return quota?.status?.hard !== undefined;
      });
      await deletePods(project);
    },
    cure: async () => {
      await api.request({ method: "DELETE", path: `${quotas}/nothing-new` });
    },
  };
}

function nodeGone(project: ModelProject): Badness {
  const node = new DyingNode(project.namespace);
  return {
    prepare: async () => {
      await node.start(2);
      return node.releaseArgs;
    },
    spoil: () => node.die(),
    cure: () => node.remove(),
  };
}

interface Port {
  readonly port: number;
  readonly targetPort: number | string;
}

/** Somebody edits the Service of green: the pods are ready, and answer whoever asks them. */
const serviceEdited =
  (edit: Partial<Port>) =>
  (project: ModelProject): Badness => {
    const { name, api } = project.namespace;
    const path = `/api/v1/namespaces/${name}/services/fraud-green`;
    const write = async (change: (port: Port) => Port) => {
      const { spec } = await api.json<{ spec: { ports: Port[] } }>({ method: "GET", path });
      await api.json({
        method: "PATCH",
        path,
        query: { fieldManager: "somebody" },
        contentType: "application/merge-patch+json",
        body: { spec: { ports: spec.ports.map(change) } },
      });
      return spec.ports[0];
    };
    let found: Port | undefined;
    return {
      spoil: async () => {
        found = await write((port) => ({ ...port, ...edit }));
      },
      cure: async () => {
        await write((port) => ({ ...port, ...found }));
      },
    };
  };

/** Clients get errors, and one pod of the slot that is good does not say who it is until they are there. */
function goodPodMute(project: ModelProject): Badness {
  let mute: string | undefined;
  return {
    spoil: async () => {
      [mute] = await podsOf(project, "blue");
      await post(project, mute ?? "", "turn/mute");
      await turned("errors")(project).spoil();
    },
    whenBack: () => post(project, mute ?? "", "turn/well"),
  };
}

export const badReleases: Readonly<Record<string, (project: ModelProject) => Badness>> = {
  "HTTP 500 on everything": turned("errors"),
  "HTTP 500 on the identity path": turned("identity"),
  "no answer": turned("hang"),
  "one answer in three wrong": turned("third"),
  "ten times as slow": turned("slow"),
  "memory that climbs": turned("memory"),
  "a crash loop": crashLoop,
  "no pods any more": (project) => ({ spoil: () => scaleToNothing(project) }),
  "all pods dead, and no new ones let in": deadAndRefused,
  "its node gone": nodeGone,
  "HTTP 502 at the ingress alone": serviceEdited({ targetPort: 9 }),
  "HTTP 503 at the ingress alone": serviceEdited({ port: 81 }),
  "errors, and a silent pod in the good slot": goodPodMute,
};
