/** What a whole build of a Go program takes on two cores, measured: the estimate until there is a rate. */
export interface TypicalBuild {
  readonly packages: number;
  readonly compileSeconds: number;
  readonly linkSeconds: number;
}

export interface BuildPosition {
  /** Packages that were to be compiled when the build began; the others were in Go's build cache. */
  readonly toCompile: number;
  readonly compiled: number;
  /** Since compiling began. */
  readonly elapsedMs: number;
  /** Since the last package was compiled, when all are. */
  readonly linkingMs: number;
  readonly cores: number;
}

/** The typical rate counts as much as this share of all packages: single packages differ by a factor of a hundred. */
const priorShare = 0.05;

/**
 * Time left of a build: packages left, at a rate that begins as the typical one and becomes the one observed, and the
 * typical time of the link step, which can't be observed before it ends; no estimate once that takes longer than typical.
 */
export function estimateRemainingMs(typical: TypicalBuild, at: BuildPosition): number | undefined {
  const scale = 2 / Math.max(1, at.cores);
  const typicalMs = (typical.compileSeconds * 1000 * scale) / typical.packages;
  const priorPackages = typical.packages * priorShare;
  const perPackageMs = (priorPackages * typicalMs + at.elapsedMs) / (priorPackages + at.compiled);
  const left = Math.max(0, at.toCompile - at.compiled);
  const linkMs = typical.linkSeconds * 1000 - at.linkingMs;
  return linkMs < 0 ? undefined : Math.round(left * perPackageMs + linkMs);
}

export interface GoPackage {
  readonly path: string;
  /** Whether it has to be compiled: Go's build cache doesn't have it. */
  readonly stale: boolean;
}

/** The format of `go list` that `parseGoList` reads. */
export const goListFormat = "{{.Stale}}\t{{.ImportPath}}\t{{.StaleReason}}";

/** Every package of a program, from the output of `go list -deps` with `goListFormat`. */
export function parseGoList(output: string): GoPackage[] {
  return output.split("\n").flatMap((line) => {
    const [stale, path, reason = ""] = line.split("\t");
    if (path === undefined || path === "") return [];
    return [{ path, stale: stale === "true" && !reason.includes("available in build cache") }];
  });
}

/** The module in a line like `go: downloading k8s.io/api v0.36.3`. */
export function parseGoDownload(line: string): string | undefined {
  return /^go: downloading (\S+ \S+)/.exec(line)?.[1];
}
