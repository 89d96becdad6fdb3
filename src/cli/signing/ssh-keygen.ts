import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exitCodes, messageOf, UserError } from "../../core/errors.ts";
import { which } from "../../tools/find-on-path.ts";
import { type ProgramResult, runProgram } from "../../tools/run-program.ts";

/** What signatures are made for: one of this kind means nothing to other programs, and theirs mean nothing here. */
export const signatureNamespace = "modelswitch-report";

/** Who runs ssh-keygen. */
export interface Signing {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** A key in hardware waits for somebody to touch it. */
const longestMs = 60_000;

async function sshKeygen(
  { env, signal }: Signing,
  args: readonly string[],
  stdin?: string,
): Promise<ProgramResult> {
  const program = await which("ssh-keygen", env);
  if (program === undefined) {
    throw new UserError({
      code: "ssh-keygen-missing",
      message: "ssh-keygen, which makes and checks signatures, is not on PATH.",
      hint: "Install OpenSSH 8.1 or later (Debian: openssh-client).",
      exitCode: exitCodes.usage,
    });
  }
  // Nobody is asked for anything: there may be no terminal, and a passphrase belongs to ssh-agent.
  const quiet = {
    ...env,
    LC_ALL: "C",
    DISPLAY: undefined,
    SSH_ASKPASS: undefined,
    SSH_ASKPASS_REQUIRE: "never",
  };
  return await runProgram(program, args, {
    env: quiet,
    signal,
    timeoutMs: longestMs,
    ...(stdin === undefined ? {} : { stdin }),
  });
}

/**
 * A signature of `message`, in OpenSSH's armour. `key`: a private key, or a public one whose private half ssh-agent has.
 * @throws UserError `ssh-keygen-missing`, `ssh-key-invalid`, `ssh-key-encrypted`, `report-signing-failed`
 */
export async function sign(signing: Signing, key: string, message: string): Promise<string> {
  const using = await usableKey(signing, key);
  const result = await sshKeygen(signing, ["-Y", "sign", "-n", signatureNamespace, "-f", using], message);
  if (result.exitCode === 0 && result.stdout.includes("BEGIN SSH SIGNATURE")) return result.stdout;
  const isOfAgent = using.endsWith(".pub");
  throw new UserError({
    code: "report-signing-failed",
    message: `ssh-keygen did not sign with ${using}: ${lastLine(result)}`,
    hint: isOfAgent
      ? "A public key is enough where ssh-agent has its other half: `ssh-add -l` lists those that it has."
      : "`ssh-keygen -l -f FILE` says what a key file is.",
    exitCode: exitCodes.failed,
  });
}

/** The file that signs: a key with a passphrase is ssh-agent's to use, by its public half. */
async function usableKey(signing: Signing, key: string): Promise<string> {
  const text = await readKey(key);
  if (isPublicKey(text)) {
    if (key.endsWith(".pub")) return key;
    throw invalidKey(key, "is a public key: name it with its ending .pub, or its private half");
  }
  const looked = await sshKeygen(signing, ["-y", "-P", "", "-f", key]);
  if (looked.exitCode === 0) return key;
  const why = `${looked.stderr}\n${looked.stdout}`;
  if (/incorrect passphrase/i.test(why)) {
    const half = `${key}.pub`;
    if (await isInAgent(signing, half)) return half;
    throw new UserError({
      code: "ssh-key-encrypted",
      message: `The key ${key} has a passphrase, which modelswitch does not ask for.`,
      hint: `Give it to ssh-agent (\`ssh-add ${key}\`) and try again, with ${half} beside it.`,
      exitCode: exitCodes.usage,
    });
  }
  if (/permissions|UNPROTECTED/i.test(why))
    throw invalidKey(key, `can be read by others, and ssh-keygen refuses it; chmod 600 ${key}`);
  throw invalidKey(key, "is no private key that ssh-keygen reads");
}

async function isInAgent(signing: Signing, half: string): Promise<boolean> {
  if ((signing.env.SSH_AUTH_SOCK ?? "") === "") return false;
  const result = await sshKeygen(signing, ["-Y", "sign", "-n", signatureNamespace, "-f", half], "");
  return result.exitCode === 0;
}

/** What became of a signature. `key`: its fingerprint, where it could be read. */
export type Checked =
  | { readonly kind: "good"; readonly key: string; readonly signer: string | null }
  /** It is not of this message, or is no signature of ours at all. */
  | { readonly kind: "bad"; readonly why: string }
  /** It is of this message, by a key that is not among those trusted. */
  | { readonly kind: "stranger"; readonly key: string };

/** Whom a signature may be of. */
export type Trusted =
  | { readonly kind: "key"; readonly file: string }
  /** A file as ssh-keygen's ALLOWED SIGNERS. */
  | { readonly kind: "signers"; readonly file: string };

/**
 * Whether `signature`, a file, is of this message and of somebody trusted.
 * @throws UserError `ssh-keygen-missing`, `ssh-key-invalid`
 */
export async function check(
  signing: Signing,
  trusted: Trusted,
  signature: string,
  message: string,
): Promise<Checked> {
  const text = await readKey(trusted.file);
  const about = ["-n", signatureNamespace, "-s", signature];
  const sound = await sshKeygen(signing, ["-Y", "check-novalidate", ...about], message);
  const key = /with (.+ key SHA256:\S+)/.exec(sound.stdout)?.[1];
  if (sound.exitCode !== 0 || key === undefined) return { kind: "bad", why: lastLine(sound) };
  const folder = await mkdtemp(join(tmpdir(), "modelswitch-signers-"));
  try {
    const own = join(folder, "signers");
    if (trusted.kind === "key") {
      if (!isPublicKey(text)) throw invalidKey(trusted.file, "is no public key, one line of a .pub file");
      await writeFile(own, `key namespaces="${signatureNamespace}" ${text.trim()}\n`, { mode: 0o600 });
    }
    const signers = trusted.kind === "key" ? own : trusted.file;
    const found = await sshKeygen(signing, ["-Y", "find-principals", "-s", signature, "-f", signers]);
    const principals = found.exitCode === 0 ? found.stdout.split("\n").filter((line) => line !== "") : [];
    for (const principal of principals) {
      const args = ["-Y", "verify", "-f", signers, "-I", principal, ...about];
      const verified = await sshKeygen(signing, args, message);
      if (verified.exitCode === 0)
        return { kind: "good", key, signer: trusted.kind === "key" ? null : principal };
    }
    return { kind: "stranger", key };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readKey(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    // Never its contents.
    throw invalidKey(file, `cannot be read: ${messageOf(error)}`);
  }
}

function isPublicKey(text: string): boolean {
  return /^(ssh-|ecdsa-|sk-)\S+ [A-Za-z0-9+/=]+( [^\n]*)?\s*$/.test(text);
}

function invalidKey(file: string, what: string): UserError {
  return new UserError({
    code: "ssh-key-invalid",
    message: `The key file ${file} ${what}.`,
    hint: "`ssh-keygen -t ed25519 -f FILE` makes a pair: FILE signs, FILE.pub verifies.",
    exitCode: exitCodes.usage,
  });
}

function lastLine({ stdout, stderr }: ProgramResult): string {
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => line.trim() !== "");
  return lines.at(-1)?.trim() ?? "it says nothing";
}
