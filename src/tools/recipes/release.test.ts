import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { etcdFrom } from "../../../packages/local-cluster/src/tools/etcd.ts";
import { traefikFrom } from "../../../packages/local-cluster/src/tools/traefik.ts";
import { ensureRecipe } from "../ensure.ts";
import { requireSuccess, runProgram } from "../run-program.ts";
import type { Recipe } from "../source.ts";
import { pulumiFrom } from "./pulumi.ts";

interface Published {
  readonly recipe: (url: string) => Recipe;
  readonly archive: string;
  readonly checksums: string;
  /** Files in the archive; the first is the program. */
  readonly files: readonly [string, ...string[]];
}

const published: Readonly<Record<string, Published>> = {
  etcd: {
    recipe: etcdFrom,
    archive: "/etcd-io/etcd/releases/download/v3.7.3/etcd-v3.7.3-linux-amd64.tar.gz",
    checksums: "/etcd-io/etcd/releases/download/v3.7.3/SHA256SUMS",
    files: ["etcd-v3.7.3-linux-amd64/etcd", "etcd-v3.7.3-linux-amd64/README.md"],
  },
  traefik: {
    recipe: traefikFrom,
    archive: "/traefik/traefik/releases/download/v3.7.15/traefik_v3.7.15_linux_amd64.tar.gz",
    checksums: "/traefik/traefik/releases/download/v3.7.15/traefik_v3.7.15_checksums.txt",
    files: ["traefik", "LICENSE.md"],
  },
  pulumi: {
    recipe: (url) => pulumiFrom([`${url}/gone`, `${url}/sdk`]),
    archive: "/sdk/pulumi-v3.259.0-linux-x64.tar.gz",
    checksums: "/sdk/pulumi-3.259.0-checksums.txt",
    files: ["pulumi/pulumi", "pulumi/pulumi-language-nodejs"],
  },
};

test.each(Object.entries(published))("%s is taken out of its release archive", async (name, about) => {
  const folder = await mkdtemp(join(tmpdir(), "release-"));
  for (const file of about.files) {
    await mkdir(join(folder, dirname(file)), { recursive: true });
    await writeFile(join(folder, file), "#!/bin/sh\necho released\n");
    await chmod(join(folder, file), 0o755);
  }
  requireSuccess(await runProgram("tar", ["-czf", "archive", ...about.files], { cwd: folder }));
  const archive = await readFile(join(folder, "archive"));
  const checksum = createHash("sha256").update(archive).digest("hex");
  const server = createServer((request, response) => {
    if (request.url === about.archive) response.end(archive);
    else if (request.url === about.checksums)
      response.end(`${checksum}  ${about.archive.split("/").at(-1)}\n`);
    else response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const tool = await ensureRecipe(
      about.recipe(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      { cacheFolder: join(folder, "cache"), signal: new AbortController().signal, progress: () => {} },
      { env: { PATH: "/usr/bin:/bin" }, platform: { os: "linux", cpu: "x64" } },
    );
    expect(tool.origin).toBe("release");
    expect((await runProgram(tool.programs[name] ?? "", [])).stdout).toBe("released\n");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
