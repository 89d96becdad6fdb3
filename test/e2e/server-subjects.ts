import { join } from "node:path";
import type { AnswerCheck } from "../../demo/open-inference.ts";
import { mlserverFlavour } from "../../demo/project.ts";
import { bentoml } from "../../src/component/servers/bentoml.ts";
import { fastapi } from "../../src/component/servers/fastapi.ts";
import { mlserver } from "../../src/component/servers/mlserver.ts";
import { rayServe } from "../../src/component/servers/ray-serve.ts";
import type { ModelServer } from "../../src/core/model.ts";
import type { Slot } from "../../src/core/slots.ts";
import { repository } from "./cli-process.ts";

export const versions: Readonly<Record<Slot, string>> = { blue: "v1", green: "v2" };

/** A folder with a Containerfile that takes MODEL_VERSION, and the name of what comes out. */
export interface SubjectImage {
  readonly folder: string;
  readonly tag: (slot: Slot) => string;
}

/** A real model server, how it is started and asked, and what its preset says of it. */
export interface Subject {
  readonly server: ModelServer;
  /** As a user writes it in the configuration file. */
  readonly text: string;
  readonly image: SubjectImage;
  readonly args?: (slot: Slot) => readonly string[];
  readonly memory: string;
  readonly predictPath: string;
  readonly body: (index: number) => string;
  /** A request that takes that many seconds, where the server can be asked for one. */
  readonly slowBody?: (seconds: number) => string;
  readonly check?: (body: string) => AnswerCheck;
  /** What the server does with requests in progress when it gets SIGTERM. */
  readonly onTerminate?: "finishes" | "drops";
}

function subject<Options>(
  name: string,
  preset: (options: Options) => ModelServer,
  options: Options,
  rest: Omit<Subject, "server" | "text">,
): Subject {
  return { server: preset(options), text: `${name}(${JSON.stringify(options)})`, ...rest };
}

/** One image for all: what is started in it is said by the slot's arguments. */
const servers: SubjectImage = {
  folder: join(repository, "test", "images", "servers"),
  tag: (slot) => `localhost/modelswitch-test-servers:${versions[slot]}`,
};

// Eight rows of eight pixels: a zero.
const pixels = [
  [0, 0, 5, 13, 9, 1, 0, 0],
  [0, 0, 13, 15, 10, 15, 5, 0],
  [0, 3, 15, 2, 0, 11, 8, 0],
  [0, 4, 12, 0, 0, 8, 8, 0],
  [0, 5, 8, 0, 0, 9, 8, 0],
  [0, 4, 11, 0, 1, 12, 7, 0],
  [0, 2, 14, 5, 10, 12, 0, 0],
  [0, 0, 6, 13, 10, 0, 0, 0],
].flat();

const prediction = (seconds: number) => JSON.stringify({ pixels: [pixels], seconds });

/** A prediction of the digit that was sent, and the version that made it. */
function checkPrediction(body: string): AnswerCheck {
  const answer = JSON.parse(body) as { digits?: unknown; version?: unknown };
  if (!Array.isArray(answer.digits) || answer.digits.join() !== "0")
    return { verdict: "invalid", reason: `the digit is 0, the answer ${body}` };
  const known = Object.values(versions).find((version) => version === answer.version);
  return known === undefined
    ? { verdict: "invalid", reason: `the answer names no known version: ${body}` }
    : { verdict: "valid", version: known };
}

const inServersImage = {
  image: servers,
  predictPath: "/predict",
  // Every tenth request takes long enough to be in progress while a switch happens.
  body: (index: number) => prediction(index % 10 === 3 ? 2 : 0),
  slowBody: prediction,
  check: checkPrediction,
};

export const subjects: Readonly<Record<"mlserver" | "bentoml" | "fastapi", Subject>> = {
  mlserver: subject(
    "mlserver",
    mlserver,
    { modelName: mlserverFlavour.model, parallelWorkers: 0, longestRequestSeconds: 5 },
    {
      image: {
        folder: join(repository, "demo", "digits"),
        tag: (slot) => mlserverFlavour.image[slot],
      },
      memory: "256Mi",
      predictPath: mlserverFlavour.inferPath,
      body: mlserverFlavour.body,
    },
  ),
  bentoml: subject(
    "bentoml",
    bentoml,
    { longestRequestSeconds: 15 },
    {
      ...inServersImage,
      args: (slot) => ["bentoml", "serve", `digits:${versions[slot]}`],
      memory: "256Mi",
      onTerminate: "finishes",
    },
  ),
  fastapi: subject(
    "fastapi",
    fastapi,
    {
      readinessPath: "/health",
      metricsPath: "/metrics/",
      inProgressGauge: "digits_requests_in_progress",
      longestRequestSeconds: 15,
    },
    {
      ...inServersImage,
      args: () => ["uvicorn", "with_fastapi:app"],
      memory: "128Mi",
      onTerminate: "finishes",
    },
  ),
};

/** Needs more than a gigabyte and half a minute for each pod. */
export const raySubject: Subject = subject(
  "rayServe",
  rayServe,
  {
    identity: { path: "/version", from: { kind: "json", path: "version" } } as const,
    metricsPort: 8080,
    longestRequestSeconds: 5,
  },
  {
    ...inServersImage,
    args: () => [
      "sh",
      "-c",
      "ray start --head --num-cpus=1 --object-store-memory=100000000 --include-dashboard=false --metrics-export-port=8080 && exec serve run --address=auto ray.yaml",
    ],
    memory: "1Gi",
    onTerminate: "drops",
  },
);
