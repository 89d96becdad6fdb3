import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buildGoProgram, type Recipe } from "../../src/support.ts";

const version = "v1.9.1";

/** The controller of a Gateway that its Envoy serves, for the long tests alone. */
export const envoyGateway: Recipe = {
  name: "envoy-gateway",
  version: async () => version,
  findOnPath: async () => ({ found: false, reason: "the tests are for one version" }),
  sources: [
    {
      origin: "registry",
      title: "Go module github.com/envoyproxy/gateway",
      async obtain(folder, context) {
        await mkdir(join(folder, "bin"));
        await buildGoProgram(
          {
            module: new URL("./go/envoy-gateway/", import.meta.url),
            target: "github.com/envoyproxy/gateway/cmd/envoy-gateway",
            variables: { "github.com/envoyproxy/gateway/internal/cmd/version.envoyGatewayVersion": version },
            typical: { packages: 2102, compileSeconds: 400, linkSeconds: 15 },
          },
          join(folder, "bin", "envoy-gateway"),
          context,
        );
        return { version, programs: { "envoy-gateway": join("bin", "envoy-gateway") } };
      },
    },
  ],
  proofs: { "envoy-gateway": ["version"] },
  alternatives: "Install Go from https://go.dev/dl.",
};
