/**
 * Writes `go/addons/go.mod` of the local cluster and `go.sum` anew: every module that Kubernetes is built of, too, in the version of
 * `go/kubernetes`. Run it after either changes: `node scripts/addons-modules.ts`. Needs Go.
 *
 * Go takes the newest version that anything requires. So requirements of newer versions than Kubernetes has are excluded, one by one,
 * until none is left; a `replace` would not do, since what is compiled then counts as another package.
 */
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "..", "packages", "local-cluster", "go");
const addons = join(root, "addons");
const kubernetes = join(root, "kubernetes");

function go(folder: string, ...args: string[]): string {
  const result = spawnSync("go", args, {
    cwd: folder,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    env: {
      ...process.env,
      CGO_ENABLED: "0",
      GOFLAGS: folder === addons ? "-mod=mod" : "-mod=readonly",
      GOWORK: "off",
    },
  });
  if (result.status !== 0) throw new Error(`go ${args.join(" ")} in ${folder}:\n${result.stderr}`);
  return result.stdout;
}

const pairs = (text: string) =>
  text.split("\n").flatMap((line) => {
    const [path, version] = line.trim().split(" ");
    return path === undefined || version === undefined ? [] : [[path, version] as const];
  });

const ours = readFileSync(join(addons, "go.mod"), "utf8");
const theirs = readFileSync(join(kubernetes, "go.mod"), "utf8");
/** What the addons are, in the versions that `go.mod` names now. */
const direct = pairs(/require \(\n([\s\S]*?)\n\)/.exec(ours)?.[1] ?? "").filter(
  ([path]) => !path.startsWith("k8s.io/") && path !== "github.com/spf13/cobra",
);
const wanted = new Map(pairs(go(kubernetes, "list", "-m", "-f", "{{.Path}} {{.Version}}", "all")));
// CoreDNS can't be built with the older one, and nothing of Kubernetes that it shares is built of it.
wanted.delete("github.com/coredns/caddy");
const required = [...theirs.matchAll(/^\t(\S+) (v\S+)/gm)].map(([, path, version]) => `\t${path} ${version}`);
const replaced = /replace \([\s\S]*?\n\)/.exec(theirs)?.[0] ?? "";
const note = /(\/\/ Every requirement[\s\S]*?\n)exclude/.exec(ours)?.[1] ?? "";
const goVersion = /^go (\S+)/m.exec(ours)?.[1] ?? "";

const excluded = new Set<string>();
for (;;) {
  const exclude =
    excluded.size === 0
      ? ""
      : `${note}exclude (\n${[...excluded]
          .sort()
          .map((one) => `\t${one}\n`)
          .join("")})\n\n`;
  writeFileSync(
    join(addons, "go.mod"),
    `module modelswitch/addons\n\ngo ${goVersion}\n\nrequire (\n${direct.map(([path, version]) => `\t${path} ${version}`).join("\n")}\n${required.join("\n")}\n)\n\n${exclude}${replaced}\n`,
  );
  const used = pairs(go(addons, "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", "."));
  const newer = new Set(
    used.flatMap(([path, version]) => (wanted.has(path) && wanted.get(path) !== version ? [path] : [])),
  );
  if (newer.size === 0) break;
  const before = excluded.size;
  for (const edge of go(addons, "mod", "graph").split(/\s+/)) {
    const [path = "", version = ""] = edge.split("@");
    if (newer.has(path) && version !== wanted.get(path) && isNewer(version, wanted.get(path) ?? "")) {
      excluded.add(`${path} ${version}`);
    }
  }
  if (excluded.size === before) throw new Error(`These can't be aligned: ${[...newer].join(", ")}`);
}
go(addons, "mod", "tidy");
console.log(`go/addons is aligned with go/kubernetes; ${excluded.size} newer versions are excluded.`);

function isNewer(a: string, b: string): boolean {
  const numbers = (version: string) => /^v(\d+)\.(\d+)\.(\d+)(.*)$/.exec(version)?.slice(1) ?? [];
  const [left, right] = [numbers(a), numbers(b)];
  for (let part = 0; part < 3; part++) {
    const difference = Number(left[part]) - Number(right[part]);
    if (difference !== 0) return difference > 0;
  }
  // A pre-release comes before its release, and these before each other by their time.
  return left[3] === "" ? right[3] !== "" : right[3] !== "" && (left[3] ?? "") > (right[3] ?? "");
}
