import { spawn } from "node:child_process";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { repository } from "./cli-process.ts";

const require = createRequire(import.meta.url);

/** The parts of Pulumi's generated protocol that are used here; it has no types of its own. */
interface RunRequest {
  getProject(): string;
  getStack(): string;
  getDryrun(): boolean;
  getMonitorAddress(): string;
  getArgsList(): string[];
  getConfigMap(): { forEach(each: (value: string, key: string) => void): void };
  getConfigsecretkeysList(): string[];
}
type Answer = (error: undefined, response: unknown) => void;
interface Messages {
  readonly [name: string]: new () => { setBail(value: boolean): void; setError(value: string): void };
}

const messages = {
  ...(require("@pulumi/pulumi/proto/language_pb.js") as Messages),
  ...(require("@pulumi/pulumi/proto/plugin_pb.js") as Messages),
};
const { LanguageRuntimeService } = require("@pulumi/pulumi/proto/language_grpc_pb.js") as {
  LanguageRuntimeService: grpc.ServiceDefinition;
};

export interface LanguageHost {
  /** For `--client=` of the CLI. */
  readonly address: string;
  close(): void;
}

/** A folder for PATH whose `pulumi-language-nodejs` is this stand-in, for commands that take no `--client`. */
export async function languageHostFolder(parent: string): Promise<string> {
  const folder = join(parent, "language-host");
  await mkdir(folder, { recursive: true });
  const module = JSON.stringify(import.meta.url);
  const script = `import(${module}).then(async ({ startLanguageHost }) => console.log((await startLanguageHost(process.cwd())).address.split(":")[1]));`;
  const program = join(folder, "pulumi-language-nodejs");
  await writeFile(program, `#!${process.execPath}\n${script}\n`);
  await chmod(program, 0o755);
  return folder;
}

/**
 * Stands in for `pulumi-language-nodejs`, which comes with Pulumi's own download only. Like it, it starts the program in a
 * process of its own by the entry point in `@pulumi/pulumi`, so that what runs is what runs under a plain `pulumi up`.
 */
export async function startLanguageHost(folder: string): Promise<LanguageHost> {
  const entry = join(repository, "node_modules", "@pulumi", "pulumi", "cmd", "run", "index.js");
  const empty = (name: string) => (_call: unknown, answer: Answer) => answer(undefined, message(name));
  const handlers: Record<string, unknown> = {
    getRequiredPlugins: empty("GetRequiredPluginsResponse"),
    getRequiredPackages: empty("GetRequiredPackagesResponse"),
    getPluginInfo: empty("PluginInfo"),
    run: ({ request }: { request: RunRequest }, answer: Answer) => {
      const config: Record<string, string> = {};
      request.getConfigMap().forEach((value, key) => {
        config[key] = value;
      });
      const [engine = ""] = request.getArgsList();
      const options = {
        monitor: request.getMonitorAddress(),
        engine,
        project: request.getProject(),
        stack: request.getStack(),
        pwd: folder,
        parallel: "8",
      };
      const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
      const child = spawn(
        process.execPath,
        [entry, ...args, ...(request.getDryrun() ? ["--dry-run"] : []), "."],
        {
          stdio: "inherit",
          env: {
            ...process.env,
            // `typescript: false` of the example's Pulumi.yaml.
            PULUMI_NODEJS_TYPESCRIPT: "false",
            PULUMI_CONFIG: JSON.stringify(config),
            PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
          },
        },
      );
      child.on("close", (code) => {
        const response = message("RunResponse");
        // 32: the program has told its failure already.
        if (code === 32) response.setBail(true);
        else if (code !== 0) response.setError(`the program ended with ${code}`);
        answer(undefined, response);
      });
    },
  };
  const unimplemented = (_call: unknown, answer: (error: { code: number }) => void) =>
    answer({ code: grpc.status.UNIMPLEMENTED });
  const server = new grpc.Server();
  const names = Object.keys(LanguageRuntimeService);
  server.addService(
    LanguageRuntimeService,
    Object.fromEntries(
      names.map((name) => [name, handlers[name] ?? unimplemented]),
    ) as grpc.UntypedServiceImplementation,
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}

function message(name: string): InstanceType<Messages[string]> {
  const type = messages[name];
  if (type === undefined) throw new Error(`Pulumi's protocol has no ${name}.`);
  return new type();
}
