import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { CommandCall, Hook } from "../core/calls.ts";
import { runHook } from "./ask.ts";
import { callIo, hurried, reach, subject } from "./calls.fixture.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelswitch-hook-"));
});
afterAll(() => rm(folder, { recursive: true }));

const hookOf = (run: CommandCall["run"], more: Partial<CommandCall> = {}): Hook => ({
  name: "check",
  when: "before",
  phase: "shift",
  onFailure: "abort",
  call: { kind: "command", run, timeoutMs: 20_000, retries: 0, ...more },
});
const never = new AbortController().signal;
const sh = (script: string): CommandCall["run"] => ["sh", "-c", script];

async function untilGone(pid: number): Promise<boolean> {
  for (let looks = 0; looks < 200; looks++) {
    // What has ended and was not fetched yet is gone, too.
    const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    if (state === undefined || / [ZX] /.test(state)) return true;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return false;
}

async function pidIn(file: string): Promise<number> {
  for (;;) {
    const text = await readFile(file, "utf8").catch(() => "");
    if (text.endsWith("\n")) return Number(text);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Timers of exactly that length fire when they are told to; all others as they do. */
function heldTimers() {
  const real = globalThis.setTimeout;
  const held: { readonly ms: number | undefined; readonly fire: () => void }[] = [];
  const fake = vi.spyOn(globalThis, "setTimeout").mockImplementation(((fire: () => void, ms?: number) => {
    if (ms !== undefined && ms >= 60_000) held.push({ ms, fire });
    return real(fire, ms);
  }) as typeof setTimeout);
  return {
    pass: (ms: number) => {
      for (const one of held.filter((timer) => timer.ms === ms)) one.fire();
    },
    restore: () => fake.mockRestore(),
  };
}

describe("a program", () => {
  test.each([
    [0, "pass"],
    [1, "fail"],
    [3, "fail"],
    [5, "inconclusive"],
    [2, "inconclusive"],
    [127, "inconclusive"],
  ])("that ends with exit code %i says %s, and its last words are the evidence", async (code, verdict) => {
    const run = sh(`echo first; echo "latency 12 ms" >&2; exit ${code}`);
    const said = await runHook(callIo(), hookOf(run), subject, never);
    expect(said.verdict).toBe(verdict);
    expect(said.evidence).toContain("latency 12 ms");
    if (code === 2) expect(said.evidence).toContain("exit code 2, which means nothing here");
  });

  test("gets the payload on its standard input and in variables, and no shell reads its arguments", async () => {
    const script = `cat; printf '%s ' "$1" "$MODELSWITCH_MODEL" "$MODELSWITCH_PHASE" "$MODELSWITCH_SHARE_GREEN" "$OWN" "$KEY$PULUMI_CONFIG_PASSPHRASE"`;
    const io = callIo({
      env: { PATH: process.env.PATH, OWN: "own", KEY: "hush", PULUMI_CONFIG_PASSPHRASE: "hush" },
      withheld: ["KEY"],
    });
    const run = ["sh", "-c", script, "sh", "$(id) `id`; *"] as const;
    const { evidence } = await runHook(io, hookOf(run), subject, never);
    const [line = "", words] = evidence.split("\n");
    expect(words?.trim()).toBe("$(id) `id`; * fraud shift 25 own");
    expect(JSON.parse(line)).toEqual({
      schemaVersion: 1,
      type: "modelswitch.hook",
      id: expect.stringMatching(/^msg_[0-9a-f]{32}$/),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      name: "check",
      model: "fraud",
      namespace: "ml",
      environment: "production",
      rollout: { kind: "release", direction: "forward", startedAt: "2026-11-23T08:00:00.000Z" },
      release: {
        number: 7,
        image: "registry.example.com/fraud:1.5",
        imageDigest: subject.imageDigest,
        slot: "green",
      },
      phase: "shift",
      step: 2,
      when: "before",
      split: { blue: 75, green: 25 },
      operator: "ada@laptop",
    });
  });

  test("is told how the release is reached, and that it is not where the router has no preview header", async () => {
    const file = join(folder, "payload");
    const script = `cat > ${file}; echo "$MODELSWITCH_INGRESS_HOST|$MODELSWITCH_INGRESS_ADDRESSES|\${MODELSWITCH_PREVIEW_HEADER-unset}|\${MODELSWITCH_PREVIEW_VALUE-unset}|$MODELSWITCH_SERVICE|$MODELSWITCH_SERVICE_PORT"`;
    // One that runs in another one's hook.
    const io = callIo({ env: { PATH: process.env.PATH, MODELSWITCH_PREVIEW_VALUE: "another's" } });
    const { evidence } = await runHook(io, hookOf(sh(script)), { ...subject, reach }, never);
    expect(JSON.parse(await readFile(file, "utf8"))).toMatchObject({
      ingress: {
        host: "fraud.example.com",
        path: "/",
        addresses: ["http://203.0.113.7:80", "http://203.0.113.8:80"],
      },
      preview: {
        header: "X-Modelswitch-Preview",
        value: "always",
        values: { blue: "never", green: "always" },
      },
      services: {
        blue: { name: "fraud-blue", namespace: "ml", port: 80 },
        green: { name: "fraud-green", namespace: "ml", port: 80 },
      },
    });
    expect(evidence).toBe(
      "fraud.example.com|http://203.0.113.7:80 http://203.0.113.8:80|X-Modelswitch-Preview|always|fraud-green|80",
    );
    const plain = { ...subject, reach: { ...reach, preview: undefined } };
    const unset = await runHook(io, hookOf(sh(script)), plain, never);
    expect(JSON.parse(await readFile(file, "utf8"))).not.toHaveProperty("preview");
    expect(unset.evidence).toContain("|unset|unset|");
  });

  test("that is run again has the same id", async () => {
    const ids = await Promise.all(
      [1, 2].map(() => runHook(callIo(), hookOf(sh('echo "$MODELSWITCH_CALL_ID"')), subject, never)),
    );
    expect(ids[0]?.evidence).toMatch(/^msg_/);
    expect(ids[0]).toEqual(ids[1]);
    const other = await runHook(
      callIo(),
      hookOf(sh('echo "$MODELSWITCH_CALL_ID"')),
      { ...subject, startedAt: "2026-11-24T08:00:00.000Z" },
      never,
    );
    expect(other).not.toEqual(ids[0]);
  });

  test("starts in the folder of the configuration file", async () => {
    const said = await runHook(callIo({ folder }), hookOf(sh("pwd -P")), subject, never);
    expect(said.evidence.endsWith(folder.split("/").at(-1) ?? "?")).toBe(true);
  });

  test("that does not end in time is ended with all that it started", async () => {
    const file = join(folder, "late");
    const run = sh(`echo working; (trap '' TERM; exec sleep 600) & echo $! > ${file}; wait`);
    // The deadline comes when the test says so, however slowly the program starts.
    const timers = heldTimers();
    const running = runHook(callIo(), hookOf(run, { timeoutMs: 60_000 }), subject, never);
    const pid = await pidIn(file);
    timers.pass(60_000);
    const said = await running;
    timers.restore();
    expect(said).toEqual({
      verdict: "inconclusive",
      evidence: "did not end within 60 s and was stopped; its last words: working",
    });
    expect(await untilGone(pid)).toBe(true);
  });

  test("is ended with all that it started when the command is stopped", async () => {
    const file = join(folder, "stopped");
    const stop = new AbortController();
    const running = runHook(
      callIo(),
      hookOf(sh(`sleep 600 & echo $! > ${file}; wait`)),
      subject,
      stop.signal,
    );
    const pid = await pidIn(file);
    stop.abort();
    await expect(running).rejects.toMatchObject({ code: "interrupted" });
    expect(await untilGone(pid)).toBe(true);
  });

  test("is killed with all that it started when the command is killed", async () => {
    const file = join(folder, "killed");
    const run = sh(`trap '' TERM; (trap '' TERM HUP; exec sleep 600) & echo $! > ${file}; wait`);
    const [ask, fixture] = ["./ask.ts", "./calls.fixture.ts"].map(
      (path) => new URL(path, import.meta.url).href,
    );
    const script = `
      const { runHook } = await import(${JSON.stringify(ask)});
      const { callIo, subject } = await import(${JSON.stringify(fixture)});
      const running = runHook(callIo(), ${JSON.stringify(hookOf(run))}, subject, new AbortController().signal);
      console.log("running");
      await running;
    `;
    const command = spawn(process.execPath, ["--input-type=module", "-e", script], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [, pid] = await Promise.all([once(command.stdout, "data"), pidIn(file)]);
    command.kill("SIGKILL");
    const isGone = await untilGone(pid);
    if (!isGone) process.kill(pid, "SIGKILL");
    expect(isGone).toBe(true);
  });

  test("that is not there, or cannot be run, says nothing about the release", async () => {
    const gone = await runHook(callIo(), hookOf(["./gone.sh"]), subject, never);
    expect(gone).toEqual({ verdict: "inconclusive", evidence: "The program ./gone.sh was not found." });
    const unusable = await runHook(callIo(), hookOf(["./command.ts"]), subject, never);
    expect(unusable.evidence).toContain("not executable");
  });

  test("is tried again where it gave no clear answer, and not where it gave one", async () => {
    const clock = hurried();
    const file = join(folder, "tries");
    const twice = sh(`echo x >> ${file}; test $(wc -l < ${file}) -ge 3 || exit 42; echo at last`);
    const said = await runHook(callIo({ clock }), hookOf(twice, { retries: 5 }), subject, never);
    expect(said).toEqual({ verdict: "pass", evidence: "at last" });
    expect(clock.slept).toEqual([1_000, 2_000]);
    const refused = await runHook(callIo({ clock }), hookOf(sh("exit 3"), { retries: 5 }), subject, never);
    expect(refused.verdict).toBe("fail");
    expect(clock.slept).toHaveLength(2);
    const unclear = await runHook(callIo(), hookOf(sh("exit 42"), { retries: 1 }), subject, never);
    expect(unclear.evidence).toContain("(2 tries)");
  });

  test("cannot fill the memory, nor command a terminal", async () => {
    const run = sh("head -c 30000000 /dev/zero | tr '\\0' x; printf '\\033[2Jend\\n'");
    const { evidence } = await runHook(callIo(), hookOf(run), subject, never);
    expect(evidence.length).toBeLessThanOrEqual(1_001);
    expect(evidence.endsWith("xend")).toBe(true);
  });
});
