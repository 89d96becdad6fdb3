import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { exitCodes, UserError } from "../core/errors.ts";
import type { EnsureTool } from "../tools/tool.ts";
import { readRecord } from "./cluster-state.ts";
import { chooseSnapshotter, importImages } from "./containerd.ts";
import type { HostPrograms } from "./host.ts";
import { requireRunning } from "./processes.ts";
import type { ClusterFolders } from "./state-folder.ts";

export interface LoadImage {
  readonly folders: ClusterFolders;
  readonly name: string;
  readonly archivePath: string;
  readonly programs: HostPrograms;
  readonly ensureTool: EnsureTool;
  readonly signal: AbortSignal;
}

/**
 * Imports the images of an archive into the node.
 * @throws UserError `cluster-absent`, `archive-unreadable`, `archive-empty`
 */
export async function loadImage(request: LoadImage): Promise<string[]> {
  const { folders, name, programs, signal } = request;
  const archivePath = resolve(request.archivePath);
  const record = readRecord(folders);
  if (record === undefined) {
    throw new UserError({
      code: "cluster-absent",
      message: `There is no local cluster "${name}".`,
      hint: "Start it with `modelswitch cluster up`.",
      exitCode: exitCodes.usage,
    });
  }
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
  requireRunning(folders, "containerd");
  const tool = await request.ensureTool("containerd", { signal, progress: () => undefined });
  const snapshotter = await chooseSnapshotter(folders, programs, signal);
  const names = await importImages(
    tool,
    { folders, record, nsenter: programs.nsenter, snapshotter },
    archivePath,
    signal,
  );
  if (names.length > 0) return names;
  throw new UserError({
    code: "archive-empty",
    message: `${archivePath} holds no image with a name.`,
    hint: "Export it with its reference, for example `buildah push IMAGE oci-archive:FILE:REFERENCE`.",
    exitCode: exitCodes.usage,
  });
}
