import { exitCodes, UserError } from "../../core/errors.ts";
import type { Command, CommandContext, CommandInput, CommandResult } from "../command.ts";
import { findReport, openRecord, rolloutNumber, writeText } from "./report.ts";

export const reportSign: Command = {
  name: "report sign",
  summary: "Sign the report of a rollout with an SSH key: the report and its signature become two files",
  description:
    "FILE has the report as canonical JSON, FILE.sig the signature that `ssh-keygen -Y verify` reads, too (namespace modelswitch-report). Signs nothing that does not fit the chain of digests in the record. A key with a passphrase is used through ssh-agent.",
  arguments: [rolloutNumber],
  options: [
    { name: "key", value: "file", summary: "private key; or a public one whose other half ssh-agent has" },
    {
      name: "out",
      value: "file",
      summary: "where the report goes",
      defaultText: "MODEL-rollout-NUMBER.json",
    },
  ],
  examples: [
    "modelswitch report sign --key ~/.ssh/id_ed25519",
    "modelswitch report sign 3 --key release.pub",
  ],
  output: "query",
  ifInterrupted: "The two files may be missing, or the former ones; sign again.",
  async run(input, context): Promise<CommandResult> {
    const key = await fileOption(input, context, "key");
    if (key === undefined) throw usage("Which key signs? Name it with --key FILE.");
    const { found, model, namespace, rollouts } = await findReport(context, input.arguments.number);
    if (found.kind === "in-progress") {
      throw new UserError({
        code: "report-missing",
        message: `Rollout ${found.entry.number} goes on: its report is written when it has ended.`,
        hint: "Name an earlier one: `modelswitch history` lists the rollouts.",
        exitCode: exitCodes.usage,
      });
    }
    const { report } = found;
    const { checkInChain } = await import("../../rollout/report/chain.ts");
    const chain = checkInChain(report, { model, namespace, rollouts });
    const [problem] = chain.problems;
    if (problem !== undefined) {
      throw new UserError({
        code: problem.code,
        message: `Nothing was signed. ${problem.message}`,
        hint: "Somebody changed the record by hand, or it was put back from a backup.",
        exitCode: exitCodes.failed,
      });
    }
    const { canonicalJson } = await import("../../rollout/record/canonical-json.ts");
    const { sign } = await import("../signing/ssh-keygen.ts");
    const text = canonicalJson(report);
    const signature = await sign(context, key, text);
    const out = input.options.out;
    const name = typeof out === "string" ? out : `${model}-rollout-${report.rollout}.json`;
    const file = await writeText(context, name, text);
    const signatureFile = await writeText(context, `${name}.sig`, signature);
    return {
      data: {
        model,
        namespace,
        rollout: report.rollout,
        sha256: report.sha256,
        file,
        signature: signatureFile,
      },
      text: [
        `The report of rollout ${report.rollout} is in ${file}, its signature in ${signatureFile}.`,
        "Whoever has the public key verifies them: `modelswitch report verify FILE --key KEY.pub`.",
      ],
    };
  },
};

export const reportVerify: Command = {
  name: "report verify",
  summary: "Verify a signed report: which release, by which key, and whether it is in the record's chain",
  description:
    "Ends with 0 only where all of it holds: the report is as it was signed, by a key that you trust, and the record in the cluster has the same report in an unbroken chain of digests. 5: the record does not go back so far. --offline leaves the record out.",
  arguments: [{ name: "file", summary: "the report, as `report sign` wrote it", required: true }],
  options: [
    { name: "key", value: "file", summary: "the public key that is trusted" },
    { name: "signers", value: "file", summary: "or those that are, as ssh-keygen's ALLOWED SIGNERS" },
    { name: "signature", value: "file", summary: "its signature", defaultText: "FILE.sig" },
    { name: "offline", summary: "without the record: the signature alone" },
  ],
  examples: [
    "modelswitch report verify fraud-rollout-3.json --key release.pub",
    "modelswitch report verify fraud-rollout-3.json --signers allowed_signers --offline",
  ],
  output: "query",
  ifInterrupted: "Nothing was changed.",
  async run(input, context): Promise<CommandResult> {
    const trusted = await trustedOf(input, context);
    const { resolve } = await import("node:path");
    const file = resolve(context.globals.folder, input.arguments.file ?? "");
    const signature = (await fileOption(input, context, "signature")) ?? `${file}.sig`;
    const { readSigned } = await import("../signing/signed-report.ts");
    const { text, report } = await readSigned(file, signature);
    const { digestOf } = await import("../../rollout/record/report.ts");
    const { check } = await import("../signing/ssh-keygen.ts");
    const checked = await check(context, trusted, signature, text);
    const chain =
      input.options.offline === true
        ? undefined
        : (await import("../../rollout/report/chain.ts")).checkInChain(report, await openRecord(context));
    const { verifyResult } = await import("../signing/signed-report.ts");
    return verifyResult({ report, isDigestRight: digestOf(report) === report.sha256, checked, chain });
  },
};

async function trustedOf(input: CommandInput, context: CommandContext) {
  const key = await fileOption(input, context, "key");
  const signers = await fileOption(input, context, "signers");
  if (key !== undefined && signers === undefined) return { kind: "key", file: key } as const;
  if (signers !== undefined && key === undefined) return { kind: "signers", file: signers } as const;
  throw usage(
    key === undefined
      ? "Whose signature is trusted? Name a public key with --key FILE, or several with --signers FILE."
      : "--key and --signers both say whose signature is trusted; name one of them.",
  );
}

async function fileOption(
  { options }: CommandInput,
  { globals, env }: CommandContext,
  name: string,
): Promise<string | undefined> {
  const value = options[name];
  if (typeof value !== "string") return undefined;
  const { resolve } = await import("node:path");
  // `--key=~/…` comes as it is: shells put the home only into words that begin with it.
  return resolve(globals.folder, value.replace(/^~(?=\/)/, env.HOME ?? "~"));
}

function usage(message: string): UserError {
  return new UserError({
    code: "argument-invalid",
    message,
    hint: "`modelswitch report sign --help` and `modelswitch report verify --help` show how.",
    exitCode: exitCodes.usage,
  });
}
