import { execFileSync } from "node:child_process";
import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { kubeconfigOf } from "../../../test/support/kubeconfig.ts";
import { noFlags, templateConfig } from "../../../test/support/release-bench.ts";
import { testBench, testNamespace } from "../../../test/support/rollout-bench.ts";
import { type ServedCluster, serveCluster } from "../../../test/support/served-cluster.ts";
import { runMain } from "../../../test/unit/run-main.ts";
import { release } from "../../rollout/commands/release.ts";
import { up } from "../../rollout/commands/up.ts";

const bench = testBench();
let served: ServedCluster;
let folder: string;

function hasKeygen(): boolean {
  try {
    execFileSync("ssh-keygen", ["-?"], { stdio: "ignore" });
    return true;
  } catch (error) {
    return error instanceof Error && "status" in error && error.status !== null;
  }
}

const keygen = (...args: readonly string[]) =>
  execFileSync("ssh-keygen", [...args], { cwd: folder, stdio: "pipe" });

beforeAll(async () => {
  served = await serveCluster(bench.cluster);
  folder = await mkdtemp(join(tmpdir(), "report-"));
  const kubeconfig = JSON.parse(kubeconfigOf(served.url)) as { contexts: { context: object }[] };
  for (const entry of kubeconfig.contexts) entry.context = { ...entry.context, namespace: testNamespace };
  await writeFile(join(folder, "kubeconfig"), JSON.stringify(kubeconfig));
  const context = bench.context(templateConfig({ rollbackWindow: 0 }));
  await up(context, noFlags);
  await release(context, { template: { image: "fraud:2", replicas: 2 } });
  await release(context, { template: { image: "fraud:3", replicas: 2 } });
});

afterAll(async () => {
  served.close();
  await rm(folder, { recursive: true, force: true });
});

const env = { HOME: "/nonexistent", PATH: process.env.PATH };
const run = (argv: readonly string[], given: Record<string, string | undefined> = env) =>
  runMain([...argv, "--model", "fraud", "--kubeconfig", join(folder, "kubeconfig")], {
    cwd: folder,
    env: given,
  });

async function json(argv: readonly string[], given?: Record<string, string | undefined>) {
  const { exitCode, stdout } = await run([...argv, "--json"], given);
  return { exitCode, document: JSON.parse(stdout) as { error?: { code: string } } };
}

describe("modelswitch report", () => {
  test("prints Markdown, HTML, or the document of its digest", async () => {
    expect((await run(["report", "1"])).stdout).toMatch(/^# fraud in ml: release of release 2 \(rollout 1\)/);
    expect((await run(["report", "--format", "html"])).stdout).toMatch(/^<!doctype html>/);
    expect((await json(["report"])).document).toMatchObject({ schemaVersion: 1, rollout: 2 });
  });

  test("writes one HTML file that only this user reads", async () => {
    const { exitCode, stdout } = await run(["report", "1", "--html", "one.html"]);
    expect([exitCode, stdout]).toEqual([0, `The report is in ${join(folder, "one.html")}.\n`]);
    expect(await readFile(join(folder, "one.html"), "utf8")).toContain(
      "<h1>fraud in ml: release of release 2",
    );
    expect((await stat(join(folder, "one.html"))).mode & 0o077).toBe(0);
    expect(await json(["report", "--html", "no/such/one.html"])).toMatchObject({
      exitCode: 2,
      document: { error: { code: "report-file-invalid" } },
    });
  });

  test("--format beside --json is refused", async () => {
    expect(await json(["report", "--format", "html"])).toMatchObject({
      exitCode: 2,
      document: { error: { code: "argument-invalid" } },
    });
  });
});

describe.skipIf(!hasKeygen())("signed reports", () => {
  beforeAll(async () => {
    for (const name of ["key", "other"]) keygen("-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name);
    keygen("-q", "-t", "ed25519", "-N", "secret words", "-f", "locked");
    const { exitCode, stdout } = await run(["report", "sign", "1", "--key", "key", "--out", "signed.json"]);
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining("signed.json.sig")]);
  });

  test("are verified with the key, with the record's chain, and by ssh-keygen itself", async () => {
    expect(await json(["report", "verify", "signed.json", "--key", "key.pub"])).toMatchObject({
      exitCode: 0,
      document: {
        verified: true,
        rollout: 1,
        release: 2,
        signature: { isGood: true, key: expect.stringMatching(/^ED25519 key SHA256:/), signer: null },
        chain: { holds: true, reports: 2, links: 1 },
      },
    });
    const signer = `ada@example.com ${await readFile(join(folder, "key.pub"), "utf8")}`;
    await writeFile(join(folder, "signers"), signer);
    const { stdout } = await run(["report", "verify", "signed.json", "--signers", "signers"]);
    expect(stdout).toContain(" of ada@example.com.");
    const said = execFileSync(
      "ssh-keygen",
      [
        "-Y",
        "verify",
        "-f",
        "signers",
        "-I",
        "ada@example.com",
        "-n",
        "modelswitch-report",
        "-s",
        "signed.json.sig",
      ],
      { cwd: folder, input: await readFile(join(folder, "signed.json")) },
    );
    expect(said.toString()).toContain("Good");
  });

  test("never show a key", async () => {
    const secret = (await readFile(join(folder, "key"), "utf8")).split("\n")[1] ?? "";
    const open = (await readFile(join(folder, "key.pub"), "utf8")).split(" ")[1] ?? "";
    for (const argv of [
      ["report", "sign", "1", "--key", "key", "--out", "again.json"],
      ["report", "verify", "signed.json", "--key", "key.pub"],
      ["report", "verify", "signed.json", "--key", "key"],
      ["report", "verify", "signed.json", "--key", "other.pub"],
    ]) {
      const { stdout, stderr } = await run([...argv, "--debug"]);
      expect(secret.length).toBeGreaterThan(20);
      expect(stdout + stderr).not.toContain(secret);
      expect(stdout + stderr).not.toContain(open);
    }
  });

  test("by a key that is not trusted are not verified, though the signature is sound", async () => {
    expect(await json(["report", "verify", "signed.json", "--key", "other.pub"])).toMatchObject({
      exitCode: 1,
      document: { verified: false, problems: [{ code: "report-signer-unknown" }], chain: { holds: true } },
    });
  });

  test("that were changed are not verified, with or without a digest that fits", async () => {
    const text = await readFile(join(folder, "signed.json"), "utf8");
    await copyFile(join(folder, "signed.json.sig"), join(folder, "changed.json.sig"));
    await writeFile(join(folder, "changed.json"), text.replace("ada@laptop", "eve@laptop"));
    const { exitCode, stdout } = await run(["report", "verify", "changed.json", "--key", "key.pub"]);
    expect(exitCode).toBe(1);
    expect(stdout).toContain("NOT VERIFIED (report-signature-invalid)");
    expect(stdout).toContain("NOT VERIFIED (report-changed)");
  });

  test("of another record are not verified; --offline says that nobody looked", async () => {
    const text = await readFile(join(folder, "signed.json"), "utf8");
    const other = { ...(JSON.parse(text) as object), rollout: 7 };
    await writeFile(join(folder, "other.json"), JSON.stringify(other));
    keygen("-q", "-Y", "sign", "-n", "modelswitch-report", "-f", "key", "other.json");
    const { document, exitCode } = await json(["report", "verify", "other.json", "--key", "key.pub"]);
    expect([exitCode, document]).toMatchObject([
      1,
      {
        problems: [{ code: "report-changed" }, { code: "report-chain-unknown" }],
        signature: { isGood: true },
      },
    ]);
    const offline = await json(["report", "verify", "signed.json", "--key", "key.pub", "--offline"]);
    expect(offline).toMatchObject({ exitCode: 0, document: { chain: null } });
  });

  test("made for another purpose are none", async () => {
    await copyFile(join(folder, "signed.json"), join(folder, "git.json"));
    keygen("-q", "-Y", "sign", "-n", "git", "-f", "key", "git.json");
    expect(await json(["report", "verify", "git.json", "--key", "key.pub"])).toMatchObject({
      exitCode: 1,
      document: { problems: [{ code: "report-signature-invalid" }] },
    });
  });

  test.each<[string, readonly string[], string, Record<string, string | undefined>?]>([
    ["no key named", ["sign", "1"], "argument-invalid"],
    ["a key that is not there", ["sign", "1", "--key", "nowhere"], "ssh-key-invalid"],
    ["a file that is no key", ["sign", "1", "--key", "kubeconfig"], "ssh-key-invalid"],
    ["a key that others can read", ["sign", "1", "--key", "loose"], "ssh-key-invalid"],
    ["a key with a passphrase and no agent", ["sign", "1", "--key", "locked"], "ssh-key-encrypted"],
    ["a public key and no agent", ["sign", "1", "--key", "locked.pub"], "report-signing-failed"],
    ["no such rollout", ["sign", "9", "--key", "key"], "report-missing"],
    ["nobody trusted", ["verify", "signed.json"], "argument-invalid"],
    ["a private key as the trusted one", ["verify", "signed.json", "--key", "key"], "ssh-key-invalid"],
    ["no such file", ["verify", "nowhere.json", "--key", "key.pub"], "report-file-invalid"],
    ["no signature", ["verify", "kubeconfig", "--key", "key.pub"], "report-file-invalid"],
    ["no report", ["verify", "kubeconfig", "--signature", "key", "--key", "key.pub"], "report-file-invalid"],
    [
      "no ssh-keygen",
      ["sign", "1", "--key", "key"],
      "ssh-keygen-missing",
      { HOME: "/nonexistent", PATH: "/nonexistent" },
    ],
  ])("%s: said in words", async (_what, argv, code, given) => {
    await copyFile(join(folder, "key"), join(folder, "loose"));
    await chmod(join(folder, "loose"), 0o644);
    const { document, exitCode } = await json(["report", ...argv], given);
    expect(document).toMatchObject({ error: { code } });
    expect(exitCode).toBe(code === "report-signing-failed" ? 1 : 2);
  });

  test("with a key of ssh-agent need no passphrase", async () => {
    const socket = join(folder, "agent");
    const said = execFileSync("ssh-agent", ["-a", socket], { stdio: "pipe" }).toString();
    const pid = Number(/SSH_AGENT_PID=(\d+)/.exec(said)?.[1]);
    try {
      await mkdir(join(folder, "askpass"), { recursive: true });
      const answer = join(folder, "askpass", "answer");
      await writeFile(answer, "#!/bin/sh\necho secret words\n", { mode: 0o700 });
      const agent = { ...env, SSH_AUTH_SOCK: socket };
      execFileSync("ssh-add", ["-q", join(folder, "locked")], {
        env: { ...agent, SSH_ASKPASS: answer, SSH_ASKPASS_REQUIRE: "force", DISPLAY: ":0" },
        stdio: "pipe",
      });
      for (const key of ["locked", "locked.pub"]) {
        const signed = await run(["report", "sign", "2", "--key", key, "--out", "agent.json"], agent);
        expect(signed.exitCode, signed.stderr).toBe(0);
        expect((await run(["report", "verify", "agent.json", "--key", "locked.pub"])).exitCode).toBe(0);
      }
    } finally {
      process.kill(pid);
    }
  });
});
