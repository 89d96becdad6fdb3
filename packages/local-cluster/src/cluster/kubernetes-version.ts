import { exitCodes, UserError } from "../../../../src/support.ts";

/** What is recorded of a cluster that matters here. */
interface Recorded {
  readonly name: string;
  readonly kubernetesVersion?: string;
  readonly version?: string;
}

/**
 * The Kubernetes version that a cluster is to run, one of those offered: what is wished for (`1.35`, `v1.35` or `v1.35.4`),
 * what it runs already, else the first of the offered ones.
 * @throws UserError `kubernetes-version-unsupported`, `cluster-differs`
 */
export function chooseKubernetesVersion(
  offered: readonly [string, ...string[]],
  wish: string | undefined,
  record: Recorded | undefined,
): string {
  const runs = record?.kubernetesVersion ?? record?.version;
  const wished = wish === undefined ? undefined : readWish(offered, wish);
  if (record === undefined || runs === undefined) return wished ?? offered[0];
  if (wished !== undefined && minorOf(wished) !== minorOf(runs)) {
    throw new UserError({
      code: "cluster-differs",
      message: `The local cluster "${record.name}" runs Kubernetes ${runs}, and --kubernetes-version asks for ${wished}.`,
      hint: `Another version needs a new cluster: \`modelswitch cluster down --name ${record.name}\` first, or choose another name with --name.`,
      exitCode: exitCodes.usage,
    });
  }
  const same = offered.find((version) => minorOf(version) === minorOf(runs));
  if (same !== undefined) return same;
  throw new UserError({
    code: "kubernetes-version-unsupported",
    message: `The local cluster "${record.name}" runs Kubernetes ${runs}, which this version of modelswitch does not offer; it offers ${offered.join(" and ")}.`,
    hint: `Remove it with \`modelswitch cluster down --name ${record.name}\` and start it again.`,
    exitCode: exitCodes.usage,
  });
}

function readWish(offered: readonly [string, ...string[]], wish: string): string {
  const refuse = (why: string) =>
    new UserError({
      code: "kubernetes-version-unsupported",
      message: `--kubernetes-version ${wish}: ${why}`,
      hint: `Offered are ${offered.join(" and ")}; the minor version alone is enough, for example --kubernetes-version ${minorOf(offered[0])}.`,
      exitCode: exitCodes.usage,
    });
  const match = /^v?(\d+\.\d+)(?:\.(\d+))?$/.exec(wish);
  if (match === null) throw refuse("this is no version of Kubernetes.");
  const found = offered.find((version) => minorOf(version) === match[1]);
  if (found === undefined) throw refuse(`Kubernetes ${match[1]} is not among the versions that are offered.`);
  if (match[2] !== undefined && found !== `v${match[1]}.${match[2]}`) {
    throw refuse(`of Kubernetes ${match[1]}, ${found} is the one that is offered.`);
  }
  return found;
}

const minorOf = (version: string): string => /^v?(\d+\.\d+)/.exec(version)?.[1] ?? version;
