import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buildGoProgram, type Recipe } from "../../src/support.ts";

const version = "v1.33.8";

/** The ingress controller of the router `contour`, for the tests alone. */
export const contour: Recipe = {
  name: "contour",
  version: async () => version,
  findOnPath: async () => ({ found: false, reason: "the tests are for one version" }),
  sources: [
    {
      origin: "registry",
      title: "Go module github.com/projectcontour/contour",
      async obtain(folder, context) {
        await mkdir(join(folder, "bin"));
        await buildGoProgram(
          {
            module: new URL("./go/contour/", import.meta.url),
            target: "github.com/projectcontour/contour/cmd/contour",
            variables: { "github.com/projectcontour/contour/internal/build.Version": version },
            typical: { packages: 1034, compileSeconds: 150, linkSeconds: 6 },
          },
          join(folder, "bin", "contour"),
          context,
        );
        return { version, programs: { contour: join("bin", "contour") } };
      },
    },
  ],
  proofs: { contour: ["version"] },
  alternatives: "Install Go from https://go.dev/dl.",
};
