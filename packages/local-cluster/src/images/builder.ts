import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { requireSuccess, runProgram, type Tool } from "../../../../src/support.ts";

export interface BuilderOptions {
  readonly tool: Tool;
  /** Holds the builder's own storage and configuration. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

export interface ImageDescription {
  readonly labels: Readonly<Record<string, string>>;
  /** How many instructions made it. */
  readonly steps: number;
}

/** A step of a Containerfile may download gigabytes, and may not hang for ever. */
const longestCommandMs = 2 * 3_600_000;

/** buildah with storage and policy of its own: the user's images and configuration are neither seen nor changed. */
export class Builder {
  readonly #options: BuilderOptions;
  readonly #policy: string;
  /** The program, and the options of all its commands. */
  readonly #command: readonly string[];
  readonly #env: Readonly<Record<string, string | undefined>>;

  private constructor(
    options: BuilderOptions,
    command: readonly string[],
    env: Readonly<Record<string, string | undefined>>,
  ) {
    this.#options = options;
    this.#policy = join(options.folder, "policy.json");
    this.#command = command;
    this.#env = env;
  }

  static async open(options: BuilderOptions): Promise<Builder> {
    await mkdir(join(options.folder, "tmp"), { recursive: true });
    await writeFile(join(options.folder, "policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}\n');
    // Overlay stores the differences between layers; vfs, which works everywhere, a whole copy for each instruction.
    const overlay = await Builder.#withDriver(options, "overlay");
    try {
      await overlay.run("Trying the overlay file system", ["info"]);
      return overlay;
    } catch (error) {
      if (options.signal.aborted) throw error;
      return Builder.#withDriver(options, "vfs");
    }
  }

  static async #withDriver(options: BuilderOptions, driver: "overlay" | "vfs"): Promise<Builder> {
    const { folder, tool } = options;
    const program = tool.programs.buildah;
    if (program === undefined) throw new Error("The tool buildah has no program buildah.");
    const storage = { root: join(folder, driver), run: join(folder, `${driver}-run`) };
    const configuration = join(folder, `${driver}.conf`);
    await writeFile(
      configuration,
      `[storage]\ndriver = "${driver}"\ngraphroot = ${JSON.stringify(storage.root)}\nrunroot = ${JSON.stringify(storage.run)}\n`,
    );
    // A mount namespace of its own: whatever ends a build, none of its mounts stays.
    const own = process.getuid?.() === 0 ? ["unshare", "--mount", "--propagation", "private", "--"] : [];
    return new Builder(
      options,
      [...own, program, "--root", storage.root, "--runroot", storage.run, "--storage-driver", driver],
      { ...options.env, ...tool.env, CONTAINERS_STORAGE_CONF: configuration, TMPDIR: join(folder, "tmp") },
    );
  }

  /** Runs one buildah command and returns what it printed. `doing` begins the message of its failure. */
  async run(
    doing: string,
    args: readonly string[],
    onLine?: (line: string) => void,
    signal = this.#options.signal,
  ): Promise<string> {
    const [program = "", ...front] = this.#command;
    const result = await runProgram(program, [...front, ...args], {
      env: this.#env,
      signal,
      timeoutMs: longestCommandMs,
      ...(onLine === undefined ? {} : { onLine: (line) => onLine(line) }),
    });
    return requireSuccess(result, doing).stdout.trim();
  }

  /** What the storage knows of the image of this name; `undefined` where it has none. */
  async describe(name: string): Promise<ImageDescription | undefined> {
    const images = await this.run("Listing images", ["images", "--format", "{{.Name}}:{{.Tag}}"]);
    if (!images.split("\n").includes(name)) return undefined;
    const text = await this.run(`Looking at ${name}`, ["inspect", "--type", "image", name]);
    const { OCIv1: image = {} } = JSON.parse(text) as {
      readonly OCIv1?: {
        readonly config?: { readonly Labels?: Readonly<Record<string, string>> | null };
        readonly history?: readonly unknown[] | null;
      };
    };
    return { labels: image.config?.Labels ?? {}, steps: image.history?.length ?? 0 };
  }

  /** Arguments that make a command accept images without a signature policy of the system. */
  get policyArguments(): readonly string[] {
    return ["--signature-policy", this.#policy];
  }

  /** Removes what an interrupted build has left. */
  async clean(): Promise<void> {
    await this.run("Removing what an interrupted build left", ["rm", "--all"]);
    const temporary = join(this.#options.folder, "tmp");
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
  }
}
