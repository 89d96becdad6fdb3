import type * as k8s from "@pulumi/kubernetes";
import { exitCodes, UserError } from "../../core/errors.ts";
import { parseModelUri } from "../../core/model-uri.ts";
import { digestMismatchExitCode, type ModelSource } from "../../core/release-contents.ts";
import { envVariables } from "./env.ts";
import { resourceRequirements } from "./resources.ts";
import { containerSecurity } from "./security.ts";

type Container = k8s.types.input.core.v1.Container;
type Volume = k8s.types.input.core.v1.Volume;
type VolumeMount = k8s.types.input.core.v1.VolumeMount;

/** Reads s3, gs, Azure, HTTP and Hugging Face; called with a URI and a folder. https://kserve.github.io/website/docs/model-serving/storage/overview */
export const defaultFetcherImage = "kserve/storage-initializer:v0.16.0";

/** Where servers look for models by convention of KServe and MLServer. */
export const defaultModelPath = "/mnt/models";

const volume = "model";

/** What a pod needs to have the model before its server starts. */
export interface ModelMount {
  readonly volumes: Volume[];
  /** In the server's container, read-only. */
  readonly mounts: VolumeMount[];
  readonly initContainers: Container[];
}

/**
 * How the model comes into the pod. Pure.
 * @throws UserError `model-uri-invalid`
 */
export function modelMount(source: ModelSource | undefined): ModelMount {
  if (source === undefined) return { volumes: [], mounts: [], initContainers: [] };
  const uri = parseModelUri(source.uri);
  const mountPath = source.mountPath ?? defaultModelPath;
  switch (uri.kind) {
    case "fetched": {
      const fetch: Container = {
        ...initContainer("fetch-model", source),
        args: [uri.uri, mountPath],
        volumeMounts: [{ name: volume, mountPath }],
      };
      return {
        volumes: [{ name: volume, emptyDir: {} }],
        mounts: [{ name: volume, mountPath, readOnly: true }],
        initContainers: [fetch, ...verification(source, { name: volume, mountPath, readOnly: true })],
      };
    }
    case "claim": {
      const mount = {
        name: volume,
        mountPath,
        readOnly: true,
        ...(uri.path === "" ? {} : { subPath: uri.path }),
      };
      return {
        volumes: [{ name: volume, persistentVolumeClaim: { claimName: uri.claim, readOnly: true } }],
        mounts: [mount],
        initContainers: verification(source, mount),
      };
    }
    case "image": {
      // The digest of an image is checked by the container runtime that pulls it.
      const reference = source.digest === undefined ? uri.image : `${uri.image}@${source.digest}`;
      return {
        volumes: [{ name: volume, image: { reference, pullPolicy: "IfNotPresent" } }],
        mounts: [{ name: volume, mountPath, readOnly: true }],
        initContainers: [],
      };
    }
    case "invalid":
      throw new UserError({
        code: "model-uri-invalid",
        message: `The model's URI "${source.uri}" ${uri.message}.`,
        exitCode: exitCodes.usage,
      });
  }
}

function initContainer(name: string, { fetcher = {} }: ModelSource): Container {
  return {
    name,
    image: fetcher.image ?? defaultFetcherImage,
    imagePullPolicy: fetcher.imagePullPolicy ?? "IfNotPresent",
    ...(fetcher.env === undefined ? {} : { env: envVariables(fetcher.env) }),
    ...resourceRequirements(fetcher.resources, undefined),
    securityContext: containerSecurity(undefined, []),
    // What it wrote last is why it failed: that is what people are shown.
    terminationMessagePolicy: "FallbackToLogsOnError",
  };
}

function verification(source: ModelSource, mount: VolumeMount): Container[] {
  const { digest, fetcher } = source;
  if (digest === undefined) return [];
  const folder = String(mount.mountPath);
  const { env: _env, ...container } = initContainer("verify-model", source);
  return [
    {
      ...container,
      ...(fetcher?.verify === "built-in"
        ? { args: ["verify", folder, digest] }
        : { command: ["/bin/sh", "-c", verifyScript(source.uri), "verify-model", folder, digest] }),
      volumeMounts: [mount],
    },
  ];
}

/**
 * `verify-model FOLDER DIGEST`: the digest of the only file, or of the sorted list of all files with theirs. Links within the model
 * are followed, as the server will follow them; what leads nowhere, out of the model or round in a circle is no part of it.
 * POSIX shell; file names with line breaks are not supported. `go/model-fetcher` says the same of each model.
 */
export function verifyScript(uri: string): string {
  // Hugging Face's client notes there what it fetched when: https://huggingface.co/docs/huggingface_hub/guides/download#download-files-to-a-local-folder
  const without = uri.startsWith("hf://") ? " ! -path './.cache/huggingface/*'" : "";
  return `set -eu
folder=$1
wanted=\${2#sha256:}
refuse() {
  echo "The model in $folder has no digest: $1." >&2
  exit ${digestMismatchExitCode}
}
if [ -f "$folder" ]; then
  actual=$(sha256sum < "$folder")
else
  cd "$folder"
  root=$(pwd -P)
  links=$(find . -type l${without})
  printf '%s\n' "$links" | while IFS= read -r link; do
    [ -n "$link" ] || continue
    name=\${link#./}
    [ -e "$link" ] || refuse "the link $name leads nowhere"
    target=$(readlink -f "$link")
    case "$target/" in
      "$root"/*) ;;
      *) refuse "the link $name leads out of the model" ;;
    esac
    within=$(cd "\${link%/*}" && pwd -P)
    case "$within/" in
      "$target"/*) refuse "the link $name leads round in a circle" ;;
    esac
  done
  files=$(find -L . -type f${without}) || refuse "it cannot be read as a whole, or its links lead round in a circle"
  files=$(printf '%s\n' "$files" | LC_ALL=C sort)
  if [ -z "$files" ]; then
    echo "The model has no files in $folder." >&2
    exit ${digestMismatchExitCode}
  fi
  if [ "$(printf '%s\n' "$files" | wc -l)" -eq 1 ]; then
    actual=$(sha256sum < "$files")
  else
    actual=$(printf '%s\n' "$files" | while IFS= read -r file; do sha256sum "$file"; done | sha256sum)
  fi
fi
actual=\${actual%% *}
if [ "$actual" != "$wanted" ]; then
  echo "The model in $folder has the digest sha256:$actual, but the release says sha256:$wanted." >&2
  exit ${digestMismatchExitCode}
fi
echo "The model in $folder has the digest sha256:$actual, as the release says."
`;
}
