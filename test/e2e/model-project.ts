import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LoadOptions, type LoadReport, type LoadRun, startLoad } from "../../demo/load.ts";
import type { CustomServerOptions } from "../../src/component/servers/custom.ts";
import { modelswitch, type ProcessOptions, type ProcessResult, resultOf } from "./cli-process.ts";
import { CommandLog } from "./command-log.ts";
import { type MixedTrafficOptions, mixedTraffic } from "./mixed-traffic.ts";
import { TestNamespace, testImages } from "./test-cluster.ts";

/** How one slot is written into the configuration file. */
export interface SlotText {
  readonly image?: string;
  readonly replicas?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Versions of the model that the test images hold. */
const versions = ["1", "2"];

const testServer: CustomServerOptions = {
  readinessPath: "/v2/health/ready",
  identity: { path: "/v2/models/demo", from: { kind: "header", name: "x-model-version" } },
  preStopSleepSeconds: 3,
  longestRequestSeconds: 5,
};

/** A folder with a configuration file, as a user has one, and a namespace of its own. */
export class ModelProject {
  readonly namespace: TestNamespace;
  readonly folder: string;
  readonly host: string;
  /** Where its clients connect. */
  ingressUrl = process.env.MODELSWITCH_TEST_INGRESS_URL ?? "";
  /** What ran when, for the explanation of a failed request. */
  readonly log = new CommandLog();

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

  /** Writes the configuration file; `settings` replace what it would have, `server` what its model server would. */
  async configure(
    settings: Readonly<Record<string, unknown>> = {},
    server: CustomServerOptions = {},
  ): Promise<void> {
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
const server = custom(${JSON.stringify({ ...testServer, ...server }, null, 2)});
export default defineConfig({ server, ...${JSON.stringify(config, null, 2)} });
`;
    await writeFile(this.configFile, text);
  }

  get configFile(): string {
    return join(this.folder, "modelswitch.config.ts");
  }

  /** Changes the configuration file as somebody would by hand. */
  async edit(change: (text: string) => string): Promise<void> {
    const before = await readFile(this.configFile, "utf8");
    const after = change(before);
    if (after === before) throw new Error(`nothing was changed in:\n${before}`);
    await writeFile(this.configFile, after);
  }

  async command(args: readonly string[], options: ProcessOptions = {}): Promise<ProcessResult> {
    const entry = this.log.begin(args);
    try {
      return await modelswitch(args, {
        cwd: this.folder,
        ...options,
        env: {
          ...this.namespace.env(),
          PULUMI_BACKEND_URL: undefined,
          MODELSWITCH_STATE: join(this.namespace.folder, "machine"),
          ...options.env,
        },
        onStart: (child) => {
          entry.follow(child);
          options.onStart?.(child);
        },
      });
    } finally {
      entry.end();
    }
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
    return this.#load({
      path: (index) => `/v2/models/demo/infer${index % 10 === 3 ? "?sleepMs=2000" : ""}`,
      ratePerSecond,
      signal,
    });
  }

  /** Constant load of inference requests that are answered at once. */
  startQuickLoad(ratePerSecond: number, signal: AbortSignal, known: readonly string[] = versions): LoadRun {
    return this.#load({
      versions: known,
      path: "/v2/models/demo/infer",
      ratePerSecond,
      maximumDurationMs: 3_600_000,
      signal,
    });
  }

  /** Constant load of quick inference requests, five-second ones and streams, on kept and new connections. */
  startMixedLoad(
    options: { readonly ratePerSecond: number; readonly signal: AbortSignal } & Omit<
      MixedTrafficOptions,
      "versions"
    >,
  ): LoadRun {
    const { ratePerSecond, signal } = options;
    return this.#load({
      ratePerSecond,
      signal,
      maximumDurationMs: 3_600_000,
      ...mixedTraffic({ ...options, versions }),
    });
  }

  #load(
    options: Omit<LoadOptions, "url" | "host" | "body" | "versions"> & Partial<Pick<LoadOptions, "versions">>,
  ): LoadRun {
    return startLoad({
      url: this.ingressUrl,
      host: this.host,
      body: JSON.stringify({ inputs: [{ name: "predict", shape: [1, 2], datatype: "FP64", data: [1, 2] }] }),
      versions,
      // An outage of some seconds is to be explained one by one.
      keptFailures: 1000,
      ...options,
    });
  }

  /** The failures of a report, each with the command that was running and the last thing that it had said. */
  explain(report: LoadReport): string {
    const first = report.failures.slice(0, 10).map((failure) => ({
      ...failure,
      sent: this.log.at(report.startedAt + failure.sentAtMs),
      failed: this.log.at(report.startedAt + failure.failedAtMs),
    }));
    return JSON.stringify({ kinds: report.failuresByKind, first }, null, 1);
  }
}

/** What a report says of failures, for the message of an assertion. */
export function failuresOf(report: LoadReport): string {
  return JSON.stringify({ kinds: report.failuresByKind, first: report.failures.slice(0, 5) }, null, 1);
}
