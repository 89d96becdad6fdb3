import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import {
  exitCodes,
  type ImageStore,
  type LoadedImage,
  requireSuccess,
  runProgram,
  type Tool,
  UserError,
} from "../../../../src/support.ts";
import { findImage, saveCommand } from "../images/stores.ts";
import type { EnsureClusterTool } from "../tools/ensure.ts";
import { type ClusterRecord, readRecord } from "./cluster-state.ts";
import {
  chooseSnapshotter,
  importCommand,
  importedNames,
  importImages,
  type NodeContext,
} from "./containerd.ts";
import type { HostPrograms } from "./host.ts";
import { requireRunning } from "./processes.ts";
import type { ClusterFolders } from "./state-folder.ts";

interface Request {
  readonly folders: ClusterFolders;
  readonly name: string;
  readonly programs: HostPrograms;
  readonly ensureTool: EnsureClusterTool;
  readonly signal: AbortSignal;
}

export interface LoadImage extends Request {
  readonly archivePath: string;
}

export interface LoadImageFrom extends Request {
  readonly image: string;
  readonly from: ImageStore | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @throws UserError `cluster-absent` */
export function requireCluster(folders: ClusterFolders, name: string): ClusterRecord {
  const record = readRecord(folders);
  if (record !== undefined) return record;
  throw new UserError({
    code: "cluster-absent",
    message: `There is no local cluster "${name}".`,
    hint: "`modelswitch cluster list` shows those there are, `modelswitch cluster up` starts one.",
    exitCode: exitCodes.usage,
  });
}

/** containerd of the node, which must run. */
async function openNode(request: Request): Promise<{ readonly tool: Tool; readonly node: NodeContext }> {
  const { folders, name, programs, signal } = request;
  const record = requireCluster(folders, name);
  requireRunning(folders, "containerd");
  const tool = await request.ensureTool("containerd", { signal, progress: () => undefined });
  const snapshotter = await chooseSnapshotter(folders, programs, signal);
  return { tool, node: { folders, record, nsenter: programs.nsenter, snapshotter } };
}

/**
 * Imports the images of an archive into the node.
 * @throws UserError `cluster-absent`, `archive-unreadable`, `archive-empty`
 */
export async function loadImage(request: LoadImage): Promise<string[]> {
  const { folders, name, signal } = request;
  const archivePath = resolve(request.archivePath);
  requireCluster(folders, name);
  try {
    await access(archivePath, constants.R_OK);
  } catch (cause) {
    throw new UserError({
      code: "archive-unreadable",
      message: `The image archive ${archivePath} can't be read.`,
      exitCode: exitCodes.usage,
      cause,
    });
  }
  const { tool, node } = await openNode(request);
  const names = await importImages(tool, node, archivePath, signal);
  if (names.length > 0) return names;
  throw new UserError({
    code: "archive-empty",
    message: `${archivePath} holds no image with a name.`,
    hint: "Export it with its reference, for example `buildah push IMAGE oci-archive:FILE:REFERENCE`.",
    exitCode: exitCodes.usage,
  });
}

/**
 * Streams an image from the program that has it into the node.
 * @throws UserError `cluster-absent`, `image-not-found`, `image-store-missing`, `image-not-named`
 */
export async function loadImageFrom(request: LoadImageFrom): Promise<LoadedImage> {
  const { image, env, signal } = request;
  requireCluster(request.folders, request.name);
  const found = await findImage({ image, from: request.from, env, signal });
  const { tool, node } = await openNode(request);
  const script = pipeScript(saveCommand(found, image), importCommand(tool, node, "-"));
  const result = await runProgram("sh", ["-c", script], { env, signal, timeoutMs: 30 * 60_000 });
  const images = importedNames(requireSuccess(result, `Loading ${image} from ${found.store}`).stdout);
  if (images.length > 0) return { from: found.store, images };
  throw new UserError({
    code: "archive-empty",
    message: `${found.store} gave ${image} without a name, so no pod could ask for it.`,
    hint: `Give it one (${found.store} tag ${image} NAME:TAG) and name that.`,
    exitCode: exitCodes.usage,
  });
}

/**
 * A shell script that runs one program into another, through a pipe of the kernel (buildah can't write into the sockets that
 * Node.js makes), and fails when either does.
 */
function pipeScript(first: readonly string[], second: readonly string[]): string {
  const words = (command: readonly string[]) =>
    command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  return `exec 4>&1
status=$( { { ${words(first)} 3>&- 4>&-; echo $? >&3; } | ${words(second)} >&4 3>&- 4>&-; } 3>&1 ) || exit $?
exit "$status"`;
}
