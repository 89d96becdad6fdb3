import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** A real Prometheus on this machine, that scrapes some targets every second. */
export interface RunningPrometheus {
  readonly url: string;
  stop(): Promise<void>;
}

/** Debian's package, unpacked into a folder: nothing is installed. */
async function unpacked(folder: string): Promise<string> {
  const packages = join(folder, "packages");
  await mkdir(packages);
  // apt downloads as a user of its own.
  await chmod(folder, 0o755);
  await chmod(packages, 0o777);
  const download = () => run("apt-get", ["download", "prometheus"], { cwd: packages });
  await download().catch(async () => {
    await run("apt-get", ["update"]);
    await download();
  });
  const [file = ""] = (await readdir(packages)).filter((name) => name.endsWith(".deb"));
  await run("dpkg-deb", ["-x", join(packages, file), join(folder, "root")]);
  return join(folder, "root", "usr", "bin");
}

/** Starts it. `targets`: host and port of each. `history`: what it has scraped before, in the text format of OpenMetrics. */
export async function startPrometheus(
  targets: readonly string[],
  history?: string,
): Promise<RunningPrometheus> {
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-prometheus-"));
  const programs = await unpacked(folder);
  const data = join(folder, "data");
  if (history !== undefined) {
    const written = join(folder, "history.txt");
    await writeFile(written, history);
    await run(join(programs, "promtool"), ["tsdb", "create-blocks-from", "openmetrics", written, data]);
  }
  const address = `127.0.0.1:${await freePort()}`;
  const configuration = {
    global: { scrape_interval: "1s", scrape_timeout: "1s" },
    scrape_configs: [{ job_name: "ingress", static_configs: [{ targets }] }],
  };
  const file = join(folder, "prometheus.yml");
  // JSON is YAML.
  await writeFile(file, JSON.stringify(configuration));
  const child = spawn(
    join(programs, "prometheus"),
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${data}`,
      `--web.listen-address=${address}`,
      "--log.level=warn",
    ],
    { stdio: "ignore" },
  );
  const url = `http://${address}`;
  const stop = async () => {
    await ended(child);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await ready(url, targets.length);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

/** Until it has scraped every target. */
async function ready(url: string, targets: number): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await fetch(`${url}/api/v1/query?query=${encodeURIComponent("sum(up)")}`).catch(
      () => undefined,
    );
    const body = (await answer?.json().catch(() => undefined)) as
      | { readonly data?: { readonly result?: readonly { readonly value: readonly [number, string] }[] } }
      | undefined;
    if (body !== undefined && Number(body.data?.result?.[0]?.value[1] ?? 0) === targets) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error(`Prometheus at ${url} has not scraped its targets.`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const over = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await over;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port is free");
  return address.port;
}
