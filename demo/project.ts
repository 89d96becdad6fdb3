import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Slot } from "../src/core/slots.ts";
import digits from "./digits.json" with { type: "json" };

/** Where the demo's models are, whatever the cluster. */
export const demoNamespace = "demo";

/** What the demo deploys: a model in two versions, one for each slot. */
export interface Flavour {
  readonly kind: "mlserver" | "fast";
  /** Name of the model, in modelswitch and in the model server. */
  readonly model: string;
  readonly host: string;
  readonly title: string;
  /** Short words for each version. */
  readonly describe: Readonly<Record<Slot, string>>;
  readonly image: Readonly<Record<Slot, string>>;
  /** As the answers name it. */
  readonly version: Readonly<Record<Slot, string>>;
  readonly replicas: number;
  readonly inferPath: string;
  /** Body of the request with this number. */
  readonly body: (index: number) => string;
}

function inferenceBody(values: readonly number[], datatype: string): string {
  const input = { name: "predict", shape: [1, values.length], datatype, data: values };
  return JSON.stringify({ inputs: [input] });
}

const digitBodies = digits.map(({ pixels }) => inferenceBody(pixels, "FP32"));

/** Handwritten digits from scikit-learn, in MLServer. */
export const mlserverFlavour: Flavour = {
  kind: "mlserver",
  model: "digits",
  host: "mlmodels.example.com",
  title: "handwritten digits, scikit-learn in MLServer",
  describe: { blue: "v1, logistic regression", green: "v2, support vectors" },
  image: { blue: "localhost/modelswitch-digits:v1", green: "localhost/modelswitch-digits:v2" },
  version: { blue: "v1", green: "v2" },
  replicas: 2,
  inferPath: "/v2/models/digits/infer",
  body: (index) => digitBodies[index % digitBodies.length] ?? "",
};

/** A linear model in the test server. */
export const fastFlavour: Flavour = {
  kind: "fast",
  model: "tiny",
  host: "tiny.example.com",
  title: "a linear model in a tiny model server",
  describe: { blue: "version 1", green: "version 2" },
  image: { blue: "localhost/modelswitch-test-server:1", green: "localhost/modelswitch-test-server:2" },
  version: { blue: "1", green: "2" },
  replicas: 2,
  inferPath: "/v2/models/tiny/infer",
  body: (index) => inferenceBody([index % 10, 2, 3], "FP64"),
};

/** Folder of the demo's project: configuration and report. */
export interface DemoProject {
  readonly folder: string;
  readonly configPath: string;
  /** What former versions encrypted the state in this folder with; it is used as long as it is there. */
  readonly passphrasePath: string;
  /** An inference request to try by hand. */
  readonly requestPath: string;
  readonly reportPath: string;
  readonly pagePath: string;
}

export function projectIn(root: string, flavour: Flavour): DemoProject {
  const folder = join(root, ".modelswitch", flavour.kind === "fast" ? "demo-fast" : "demo");
  return {
    folder,
    configPath: join(folder, "modelswitch.config.ts"),
    passphrasePath: join(folder, "passphrase"),
    requestPath: join(folder, "request.json"),
    reportPath: join(folder, "report.json"),
    pagePath: join(folder, "report.html"),
  };
}

/** The configuration, as a user would write it. */
export function configText(flavour: Flavour, kubeconfigPath: string): string {
  const slot = (name: Slot) => `    // ${flavour.describe[name]}
    ${name}: {
      image: ${JSON.stringify(flavour.image[name])},
      replicas: ${flavour.replicas},
      resources: { requests: { cpu: "50m", memory: ${flavour.kind === "fast" ? '"16Mi"' : '"256Mi"'} } },
    },`;
  return `// Written by \`npm run demo\`. The commands it prints at the end use this file.
import { defineConfig, mlserver } from "modelswitch";

export default defineConfig({
  name: ${JSON.stringify(flavour.model)},
  namespace: ${JSON.stringify(demoNamespace)},
  // ${flavour.kind === "fast" ? "The tiny model server speaks MLServer's protocol." : "Inference in the server's own process: this machine is small."}
  server: mlserver({ modelName: ${JSON.stringify(flavour.model)}, parallelWorkers: 0, longestRequestSeconds: 5 }),
  slots: {
${slot("blue")}
${slot("green")}
  },
  live: "blue",
  ingress: { host: ${JSON.stringify(flavour.host)} },
  kubeconfig: ${JSON.stringify(kubeconfigPath)},
});
`;
}

/** Writes the project. */
export async function writeProject(
  project: DemoProject,
  flavour: Flavour,
  kubeconfigPath: string,
): Promise<void> {
  await mkdir(project.folder, { recursive: true });
  await writeFile(project.requestPath, `${flavour.body(1)}\n`);
  await writeFile(project.configPath, configText(flavour, kubeconfigPath));
}
