import { chmod, mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import {
  buildGoProgram,
  downloadVerified,
  findPrograms,
  goArchitecture,
  isInRange,
  kubernetesVersions,
  type Recipe,
} from "../../../../src/support.ts";
import { linuxOnly } from "./linux-only.ts";
import { kubernetesModules, versions } from "./versions.ts";

const programs = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
  "kube-proxy",
  "kubectl",
] as const;

const versionArguments = (name: string) => (name === "kubectl" ? ["version", "--client"] : ["--version"]);

/** Control plane, kubelet, kube-proxy and kubectl, of one of the `kubernetesVersions`. */
export function kubernetesFrom(releaseUrl: string, version: string = versions.kubernetes): Recipe {
  return {
    name: "kubernetes",
    variant: version,
    version: async () => version,
    unsupported: linuxOnly,
    findOnPath: (context) =>
      findPrograms(
        programs.map((name) => ({
          name,
          versionArguments: versionArguments(name),
          wanted: {
            text: `${version} or a later patch of it`,
            accepts: (answer) => isInRange(answer, `~${version}`),
          },
        })),
        context,
      ),
    sources: [
      {
        origin: "release",
        title: `official release at ${new URL(releaseUrl).host}`,
        async obtain(folder, context) {
          const from = `${releaseUrl}/release/${version}/bin/linux/${goArchitecture(context.platform)}`;
          await mkdir(join(folder, "bin"));
          await downloadVerified(
            programs.map((name) => ({
              url: `${from}/${name}`,
              checksumUrl: `${from}/${name}.sha256`,
              target: join(folder, "bin", name),
            })),
            context,
          );
          for (const name of programs) await chmod(join(folder, "bin", name), 0o755);
          return { version, programs: inBin };
        },
      },
      {
        origin: "registry",
        title: "Go module k8s.io/kubernetes",
        async obtain(folder, context) {
          await mkdir(join(folder, "bin"));
          const modules = kubernetesVersions.find((one) => one === version);
          await buildGoProgram(
            {
              module: new URL("../../go/kubernetes/", import.meta.url),
              target: ".",
              ...(modules === undefined ? {} : { modules: kubernetesModules[modules] }),
              variables: {
                "k8s.io/component-base/version.gitVersion": version,
                "k8s.io/client-go/pkg/version.gitVersion": version,
              },
              typical: { packages: 2738, compileSeconds: 370, linkSeconds: 20 },
            },
            join(folder, "bin", "kubernetes"),
            context,
          );
          // One binary for all: it runs the program whose name it is started under.
          for (const name of programs) await symlink("kubernetes", join(folder, "bin", name));
          return { version, programs: inBin };
        },
      },
    ],
    proofs: { kubelet: ["--version"], kubectl: ["version", "--client"] },
    alternatives:
      "Use a cluster that is there already (kind, k3d, minikube, a cloud's): pass --context or --kubeconfig. Or install Go from https://go.dev/dl, and run the same command again.",
  };
}

const inBin = Object.fromEntries(programs.map((name) => [name, join("bin", name)]));

const releases = "https://dl.k8s.io";

export const kubernetes = kubernetesFrom(releases);

export const kubernetesOf = (version: string): Recipe => kubernetesFrom(releases, version);
