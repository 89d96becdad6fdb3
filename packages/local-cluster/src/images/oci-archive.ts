import { createHash } from "node:crypto";
import { type TarEntry, tarArchive } from "./tar.ts";

/** An image made of files, without any build tool. */
export interface ScratchImage {
  /** Full name with registry and tag, for example `localhost/modelswitch-test-server:1`. */
  readonly name: string;
  readonly files: readonly TarEntry[];
  readonly entrypoint: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Numeric, `user:group`. @default 65532:65532 */
  readonly user?: string;
  readonly ports: readonly number[];
  /** @default the machine's */
  readonly architecture?: string;
}

export interface PackedImages {
  readonly archive: Buffer;
  /** Digest of each image's manifest, by name. */
  readonly digests: Readonly<Record<string, string>>;
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
}

const goArchitectures: Readonly<Record<string, string>> = { x64: "amd64", arm64: "arm64", arm: "arm" };

/** Go's name of this machine's processor, as image indexes use it. */
export function machineArchitecture(): string {
  return goArchitectures[process.arch] ?? process.arch;
}

/** Packs images as one OCI archive, as `ctr images import`, `podman load` and `skopeo` read it. */
export function packImages(images: readonly ScratchImage[]): PackedImages {
  const blobs = new Map<string, Buffer>();
  const digests: Record<string, string> = {};
  const store = (mediaType: string, contents: Buffer): Descriptor => {
    const digest = `sha256:${createHash("sha256").update(contents).digest("hex")}`;
    blobs.set(digest, contents);
    return { mediaType, digest, size: contents.length };
  };
  const storeJson = (mediaType: string, value: unknown) =>
    store(mediaType, Buffer.from(JSON.stringify(value)));

  const manifests = images.map((image) => {
    const layer = store("application/vnd.oci.image.layer.v1.tar", tarArchive(image.files));
    const platform = { os: "linux", architecture: image.architecture ?? machineArchitecture() };
    const config = storeJson("application/vnd.oci.image.config.v1+json", {
      ...platform,
      config: {
        User: image.user ?? "65532:65532",
        Env: Object.entries(image.env).map(([key, value]) => `${key}=${value}`),
        Entrypoint: image.entrypoint,
        ExposedPorts: Object.fromEntries(image.ports.map((port) => [`${port}/tcp`, {}])),
      },
      rootfs: { type: "layers", diff_ids: [layer.digest] },
    });
    const manifest = storeJson("application/vnd.oci.image.manifest.v1+json", {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config,
      layers: [layer],
    });
    digests[image.name] = manifest.digest;
    return {
      ...manifest,
      platform,
      annotations: {
        "org.opencontainers.image.ref.name": image.name,
        // containerd reads the full name from its own annotation first.
        "io.containerd.image.name": image.name,
      },
    };
  });

  const json = (value: unknown) => Buffer.from(JSON.stringify(value));
  const archive = tarArchive([
    { path: "oci-layout", contents: json({ imageLayoutVersion: "1.0.0" }) },
    {
      path: "index.json",
      contents: json({
        schemaVersion: 2,
        mediaType: "application/vnd.oci.image.index.v1+json",
        manifests,
      }),
    },
    ...[...blobs].map(([digest, contents]) => ({ path: `blobs/${digest.replace(":", "/")}`, contents })),
  ]);
  return { archive, digests };
}
