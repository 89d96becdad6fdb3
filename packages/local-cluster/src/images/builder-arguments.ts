import { access, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { hostPipSettings, renderPipConfiguration } from "./pip-settings.ts";

/** Where buildah looks for what it leaves out of the context, beside the Containerfile itself. */
export async function ignoreArguments(containerfile: string): Promise<string[]> {
  for (const ending of [".containerignore", ".dockerignore"]) {
    if (await exists(containerfile + ending)) return [`--ignorefile=${resolve(containerfile + ending)}`];
  }
  return [];
}

/**
 * The host's pip settings and certificate authorities, mounted while the build runs: a build behind a company's mirror or proxy works
 * as pip does on the host, and nothing of it is in the image.
 */
export async function hostVolumes(
  scratch: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string[]> {
  const volumes: string[] = [];
  const settings = { ...(await hostPipSettings(env)) };
  const systemAuthorities = "/etc/ssl/certs/ca-certificates.crt";
  const authorities = settings.cert ?? env.SSL_CERT_FILE ?? systemAuthorities;
  if (await exists(authorities)) {
    volumes.push(`${resolve(authorities)}:${systemAuthorities}:ro`);
    settings.cert = systemAuthorities;
  } else {
    delete settings.cert;
  }
  const clientCertificate = settings["client-cert"];
  if (clientCertificate !== undefined && (await exists(clientCertificate))) {
    volumes.push(`${resolve(clientCertificate)}:/etc/ssl/private/pip-client.pem:ro`);
    settings["client-cert"] = "/etc/ssl/private/pip-client.pem";
  }
  const file = join(scratch, "pip.conf");
  // It may hold a password for the mirror.
  await writeFile(file, renderPipConfiguration(settings), { mode: 0o600 });
  volumes.push(`${file}:/etc/pip.conf:ro`);
  return volumes.map((volume) => `--volume=${volume}`);
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
