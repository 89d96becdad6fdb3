import type { RolloutConfig } from "../../src/config/model/types.ts";
import { ModelProject } from "./model-project.ts";
import { testImages } from "./test-cluster.ts";

/** How the model server and the rollout of a test are set up. */
export interface ReleaseSetup {
  /** The longest stream that clients ask for, seconds. */
  readonly streamSeconds: number;
  /** The longest that a pod may take to end, seconds. @default two more than a stream lasts */
  readonly longestRequestSeconds?: number;
  /** Seconds for which the old slot stays warm. @default 0 */
  readonly rollbackWindow?: number;
  /** @default 25 % for a second, then 50 % */
  readonly steps?: string;
  readonly replicas?: number;
  /** @default full */
  readonly mode?: "recreate";
  /** Seconds. @default 1 */
  readonly settle?: number;
  /** Copies of requests before the first share. @default none */
  readonly shadow?: RolloutConfig["shadow"];
  /** Seconds. @default 1 */
  readonly soak?: number;
  /** Seconds. @default two more than a stream lasts */
  readonly drain?: number;
  /** @default none */
  readonly gates?: RolloutConfig["gates"];
  /** The rest of the configuration, for example the router. @default nothing */
  readonly settings?: Readonly<Record<string, unknown>>;
}

export const imageOf = (version: string) => (version === "1" ? testImages.blue : testImages.green);

/** A model whose releases take a few seconds: short waits, and a drain that outlives its longest request. */
export async function configureReleases(project: ModelProject, setup: ReleaseSetup): Promise<void> {
  const { streamSeconds, rollbackWindow = 0, steps = "25%:1s, 50%", replicas = 2 } = setup;
  const { longestRequestSeconds = streamSeconds + 2 } = setup;
  const { mode, gates, shadow } = setup;
  const { settle = 1, soak = 1, drain = streamSeconds + 2 } = setup;
  await project.configure(
    {
      slots: undefined,
      ...setup.settings,
      release: { image: testImages.blue, replicas, imagePullPolicy: "Never" },
      rollout: {
        ...(mode === undefined ? { steps } : { mode }),
        settle,
        soak,
        drain,
        rollbackWindow,
        ...(gates === undefined ? {} : { gates }),
        ...(shadow === undefined ? {} : { shadow }),
        warmUp: {
          path: "/v2/models/demo/infer",
          body: { inputs: [{ name: "predict", shape: [1, 2], datatype: "FP64", data: [1, 2] }] },
        },
      },
    },
    {
      longestRequestSeconds,
      metrics: { port: 8080, path: "/metrics" },
      draining: { gauges: ["test_server_requests_in_progress"] },
    },
  );
}

/** A model with its first release live. */
export async function releasedProject(prefix: string, setup: ReleaseSetup): Promise<ModelProject> {
  const project = await ModelProject.create(prefix);
  await configureReleases(project, setup);
  await project.result(["up"]);
  return project;
}
