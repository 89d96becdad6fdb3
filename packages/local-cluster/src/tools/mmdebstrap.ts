import { findPrograms, isInRange, type Recipe } from "../../../../src/support.ts";
import { obtainDebianBundle, systemRelease } from "./debian.ts";
import { linuxOnly } from "./linux-only.ts";
import { oldestOnPath } from "./versions.ts";

const oldest = oldestOnPath.mmdebstrap;

/** Makes the files of a base image from Debian packages, where no image registry can be reached. */
export const mmdebstrap: Recipe = {
  name: "mmdebstrap",
  version: systemRelease,
  unsupported: linuxOnly,
  findOnPath: (context) =>
    findPrograms(
      [
        {
          name: "mmdebstrap",
          versionArguments: ["--version"],
          wanted: { text: `1.x from ${oldest} on`, accepts: (answer) => isInRange(answer, `^${oldest}`) },
        },
      ],
      context,
    ),
  sources: [
    {
      origin: "registry",
      title: "Debian packages",
      obtain: (folder, context, destination) =>
        obtainDebianBundle(
          {
            packages: ["mmdebstrap"],
            versionOf: "mmdebstrap",
            programs: { mmdebstrap: "usr/bin/mmdebstrap", mmtarfilter: "usr/bin/mmtarfilter" },
          },
          folder,
          context,
          destination,
        ),
    },
  ],
  proofs: { mmdebstrap: ["--version"] },
  alternatives:
    "Build on a base image from a registry instead (python:3.11-slim, for example), or install mmdebstrap (Debian, Ubuntu).",
};
