/**
 * The test command: formatter and linter, types, unit tests (those in Go, too, where there is Go), then end-to-end tests on a real local cluster.
 * Ends with `N passed, N failed` alone on a line. `--soak` adds the long matrices.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

interface Count {
  readonly passed: number;
  readonly failed: number;
}

const root = join(import.meta.dirname, "..");
const reports = mkdtempSync(join(tmpdir(), "modelswitch-test-"));
const soak = process.argv.includes("--soak");
const startedAt = Date.now();

function run(program: string, args: readonly string[], env: Record<string, string> = {}): Promise<number> {
  return spawned(join(root, "node_modules", ".bin", program), args, root, env);
}

function spawned(
  program: string,
  args: readonly string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd,
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, ...env },
    });
    const forward = (signal: NodeJS.Signals) => child.kill(signal);
    process.on("SIGINT", forward);
    process.on("SIGTERM", forward);
    child.on("error", () => resolve(1));
    child.on("close", (code) => {
      process.off("SIGINT", forward);
      process.off("SIGTERM", forward);
      resolve(code ?? 1);
    });
  });
}

async function check(program: string, args: readonly string[]): Promise<Count> {
  return (await run(program, args)) === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly startTime: number;
    readonly endTime: number;
  }[];
}

/** Counts tests from vitest's own report; a run that failed without a failing test (a broken file, a set-up) counts as one. */
async function vitest(projects: string, wantsTimes = false): Promise<Count> {
  const report = join(reports, `${projects.replaceAll("*", "")}.json`);
  const code = await run(
    "vitest",
    ["run", "--project", projects, "--reporter=verbose", "--reporter=json", `--outputFile.json=${report}`],
    soak ? { MODELSWITCH_TEST_SOAK: "1" } : {},
  );
  let passed = 0;
  let failed = 0;
  try {
    const found = JSON.parse(readFileSync(report, "utf8")) as Report;
    passed = found.numPassedTests;
    failed = found.numFailedTests;
    if (wantsTimes) showTimes(found);
  } catch {
    // No report: vitest itself did not come up. The exit code below counts it.
  }
  if (code !== 0 && failed === 0) failed = 1;
  if (code === 0 && passed === 0) failed += 1;
  return { passed, failed };
}

/** Where the time went, the longest first. */
function showTimes({ testResults }: Report): void {
  const seconds = testResults
    .map(({ name, startTime, endTime }) => ({ name, time: Math.round((endTime - startTime) / 1000) }))
    .sort((a, b) => b.time - a.time);
  for (const { name, time } of seconds) console.log(`${String(time).padStart(5)} s  ${relative(root, name)}`);
}

/** Our own Go programs that have tests; each module counts as one. */
async function go(): Promise<Count> {
  if (spawnSync("go", ["version"]).status !== 0) {
    console.log("Skipped: there is no `go` on PATH.");
    return { passed: 0, failed: 0 };
  }
  let count: Count = { passed: 0, failed: 0 };
  for (const module of ["model-fetcher"]) {
    const environment = { CGO_ENABLED: "0", GOFLAGS: "", GOWORK: "off", GOTOOLCHAIN: "local" };
    const code = await spawned("go", ["test", "./..."], join(root, "go", module), environment);
    count = code === 0 ? { ...count, passed: count.passed + 1 } : { ...count, failed: count.failed + 1 };
  }
  return count;
}

const stages: readonly (readonly [string, () => Promise<Count>])[] = [
  ["formatter and linter", () => check("biome", ["check", "--error-on-warnings", "."])],
  ["types", () => check("tsc", ["-p", "tsconfig.json"])],
  ["unit tests", () => vitest("unit")],
  ["tests of the Go programs", go],
  ["end-to-end tests", () => vitest("e2e*", true)],
];

// Compiles, at the lowest priority, what the end-to-end tests need: the others leave a part of the machine to it.
const building = spawn(process.execPath, [join(root, "test", "build-tools.ts")], { stdio: "ignore" });
building.unref();
process.once("exit", () => building.kill("SIGTERM"));

let isStopped = false;
const stop = () => {
  isStopped = true;
};
process.once("SIGINT", stop);
process.once("SIGTERM", stop);

let passed = 0;
let failed = 0;
for (const [title, stage] of stages) {
  if (isStopped) break;
  const from = Date.now();
  console.log(`\n== ${title}`);
  const count = await stage();
  passed += count.passed;
  failed += count.failed;
  console.log(
    `== ${title}: ${count.passed} passed, ${count.failed} failed in ${Math.round((Date.now() - from) / 1000)} s`,
  );
}
rmSync(reports, { recursive: true, force: true });
console.log(`\nAll stages took ${Math.round((Date.now() - startedAt) / 1000)} s.`);
process.exitCode = failed === 0 && !isStopped ? 0 : 1;
console.log(`${passed} passed, ${failed} failed`);
