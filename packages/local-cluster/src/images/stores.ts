import {
  exitCodes,
  type ImageStore,
  imageStores,
  runProgram,
  UserError,
  which,
} from "../../../../src/support.ts";

export interface FindImage {
  readonly image: string;
  /** The only program to ask. */
  readonly from?: ImageStore | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface FoundImage {
  readonly store: ImageStore;
  /** Path of the program. */
  readonly program: string;
}

/**
 * The first program on PATH that has the image.
 * @throws UserError `image-not-found`, `image-store-missing`
 */
export async function findImage(request: FindImage): Promise<FoundImage> {
  const { image, from, env, signal } = request;
  // It becomes an argument of those programs, and must not be read as an option.
  if (image === "" || image.startsWith("-")) {
    throw new UserError({
      code: "argument-invalid",
      message: `"${image}" is no name of an image.`,
      exitCode: exitCodes.usage,
    });
  }
  const asked: string[] = [];
  for (const store of from === undefined ? imageStores : [from]) {
    const program = await which(store, env, { system: true });
    if (program === undefined) continue;
    const answer = await runProgram(program, inspectArguments(store, image), {
      env,
      signal,
      timeoutMs: 60_000,
    });
    if (answer.exitCode === 0) return { store, program };
    const said = answer.stderr.trim().split("\n").at(-1) ?? "";
    asked.push(`- ${store} (${program}): ${said === "" ? "it has no such image" : said.slice(0, 300)}`);
  }
  if (asked.length === 0) {
    throw new UserError({
      code: "image-store-missing",
      message: `The image ${image} can't be fetched: ${from ?? imageStores.join(", ")} ${from === undefined ? "are" : "is"} not on PATH.`,
      hint: "Name the file of an image archive instead, or build the image with `modelswitch cluster build-image`.",
      exitCode: exitCodes.usage,
    });
  }
  throw new UserError({
    code: "image-not-found",
    message: `No image ${image} on this machine:\n${asked.join("\n")}`,
    hint: "See which there are (docker images, podman images, buildah images), and give the name as it is there. If you meant an archive, give the path of the file.",
    exitCode: exitCodes.usage,
  });
}

function inspectArguments(store: ImageStore, image: string): string[] {
  switch (store) {
    case "docker":
      return ["image", "inspect", "--format", "{{.Id}}", image];
    case "podman":
      return ["image", "inspect", "--format", "{{.Id}}", image];
    case "buildah":
      return ["inspect", "--type", "image", "--format", "{{.FromImageID}}", image];
  }
}

/** Program and arguments that write the image as an archive to their output, which must be a pipe. */
export function saveCommand({ store, program }: FoundImage, image: string): string[] {
  switch (store) {
    case "docker":
    case "podman":
      return [program, "save", image];
    case "buildah":
      return [program, "push", "--quiet", image, "docker-archive:/dev/stdout"];
  }
}
