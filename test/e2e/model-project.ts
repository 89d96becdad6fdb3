import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadReport, type LoadRun, startLoad } from "../../demo/load.ts";
import { modelswitch, type ProcessOptions, type ProcessResult, resultOf } from "./cli-process.ts";
import { TestNamespace, testImages } from "./test-cluster.ts";

/** How one slot is written into the configuration file. */
export interface SlotText {
  readonly image?: string;
  readonly replicas?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** A folder with a configuration file, as a user has one, and a namespace of its own. */
export class ModelProject {
  readonly namespace: TestNamespace;
  readonly folder: string;
  readonly host: string;

  private constructor(namespace: TestNamespace, folder: string) {
    this.namespace = namespace;
    this.folder = folder;
    this.host = `${namespace.name}.example.com`;
  }

  static async create(prefix: string): Promise<ModelProject> {
    const namespace = await TestNamespace.create(prefix);
    return new ModelProject(namespace, await mkdtemp(join(tmpdir(), `modelswitch-${prefix}-`)));
  }

  async remove(): Promise<void> {
    await this.namespace.remove();
    await rm(this.folder, { recursive: true, force: true });
  }

  /** Writes the configuration file; `settings` replace what it would have. */
  async configure(settings: Readonly<Record<string, unknown>> = {}): Promise<void> {
    const slot = (image: string): SlotText => ({ image, replicas: 2 });
    const config = {
      name: "fraud",
      namespace: this.namespace.name,
      slots: {
        blue: { ...slot(testImages.blue), imagePullPolicy: "Never" },
        green: { ...slot(testImages.green), imagePullPolicy: "Never" },
      },
      ingress: { host: this.host },
      deadlines: { ready: 120, proof: 30 },
      ...settings,
    };
    const text = `import { custom, defineConfig } from "modelswitch";
const server = custom({
  readinessPath: "/v2/health/ready",
  identity: { path: "/v2/models/demo", from: { kind: "header", name: "x-model-version" } },
  preStopSleepSeconds: 3,
  longestRequestSeconds: 5,
});
export default defineConfig({ server, ...${JSON.stringify(config, null, 2)} });
`;
    await writeFile(join(this.folder, "modelswitch.config.ts"), text);
  }

  command(args: readonly string[], options: ProcessOptions = {}): Promise<ProcessResult> {
    return modelswitch(args, {
      cwd: this.folder,
      ...options,
      env: { ...this.namespace.env(), PULUMI_BACKEND_URL: undefined, ...options.env },
    });
  }

  /** Runs a command that must succeed, and returns its document. */
  async result(args: readonly string[]): Promise<Record<string, unknown>> {
    const { exitCode, stdout, stderr } = await this.command([...args, "--json"]);
    if (exitCode !== 0)
      throw new Error(`modelswitch ${args.join(" ")} ended with ${exitCode}:\n${stdout}\n${stderr}`);
    return resultOf(stdout);
  }

  /** Constant load of inference requests, every tenth of which takes two seconds. */
  startLoad(ratePerSecond: number, signal: AbortSignal): LoadRun {
    const url = process.env.MODELSWITCH_TEST_INGRESS_URL ?? "";
    return startLoad({
      url,
      host: this.host,
      path: (index) => `/v2/models/demo/infer${index % 10 === 3 ? "?sleepMs=2000" : ""}`,
      body: JSON.stringify({ inputs: [{ name: "predict", shape: [1, 2], datatype: "FP64", data: [1, 2] }] }),
      ratePerSecond,
      versions: ["1", "2"],
      signal,
    });
  }
}

/** What a report says of failures, for the message of an assertion. */
export function failuresOf(report: LoadReport): string {
  return JSON.stringify({ kinds: report.failuresByKind, first: report.failures.slice(0, 5) }, null, 1);
}
