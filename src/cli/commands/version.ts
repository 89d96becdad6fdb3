import type { Command } from "../command.ts";

export const versionCommand: Command = {
  name: "version",
  summary: "Print the versions of modelswitch and Node.js",
  output: "query",
  async run() {
    const { packageVersion } = await import("../package-version.ts");
    const data = {
      modelswitch: packageVersion(),
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
    };
    return {
      data,
      text: [`modelswitch ${data.modelswitch}`, `node ${data.node} (${data.platform})`],
    };
  },
};
