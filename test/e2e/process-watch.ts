import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** One process as `/proc` shows it to anybody who may look. */
export interface SeenProcess {
  readonly pid: number;
  readonly commandLine: string;
  readonly environment: string;
}

/** Looks at a process and all its descendants again and again while they run. */
export class ProcessWatch {
  /** By process and command line, since a process may become another program. */
  readonly seen = new Map<string, SeenProcess>();
  /** Addresses that these processes listened on. */
  readonly listened = new Set<string>();
  readonly #root: number;
  readonly #timer: NodeJS.Timeout;

  constructor(root: number) {
    this.#root = root;
    this.#timer = setInterval(() => this.#look(), 50);
    this.#look();
  }

  /** Without those that were seen between their start and the program that they become: until then they are copies of their parent. */
  get descendants(): readonly SeenProcess[] {
    const all = [...this.seen.values()];
    const own = new Set(all.filter(({ pid }) => pid === this.#root).map(({ commandLine }) => commandLine));
    return all.filter(({ pid, commandLine }) => pid !== this.#root && !own.has(commandLine));
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    for (const pid of withDescendants(this.#root)) {
      const commandLine = read(pid, "cmdline").replaceAll("\0", " ").trim();
      if (commandLine === "") continue;
      const key = `${pid} ${commandLine}`;
      if (!this.seen.has(key))
        this.seen.set(key, { pid, commandLine, environment: read(pid, "environ").replaceAll("\0", "\n") });
      for (const address of listeningAddresses(pid)) this.listened.add(address);
    }
  }
}

/** The processes below a process that run now. */
export function childrenOf(pid: number): readonly SeenProcess[] {
  return withDescendants(pid).flatMap((child) => {
    const commandLine = read(child, "cmdline").replaceAll("\0", " ").trim();
    return child === pid || commandLine === "" ? [] : [{ pid: child, commandLine, environment: "" }];
  });
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // It has ended.
    return "";
  }
}

/** The kernel lists the children of each thread; programs in Go start theirs from any. */
function withDescendants(root: number): readonly number[] {
  const family = [root];
  for (const pid of family) {
    let threads: string[];
    try {
      threads = readdirSync(`/proc/${pid}/task`);
    } catch {
      continue;
    }
    for (const thread of threads) {
      for (const child of read(pid, `task/${thread}/children`).split(" ")) {
        if (child.trim() !== "") family.push(Number(child));
      }
    }
  }
  return family;
}

/** Addresses with port on which a process listens, in whatever network namespace it is. */
export function listeningAddresses(pid: number): readonly string[] {
  const own = new Set<string>();
  try {
    for (const descriptor of readdirSync(`/proc/${pid}/fd`)) {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${descriptor}`))?.[1];
        if (inode !== undefined) own.add(inode);
      } catch {
        // Closed meanwhile.
      }
    }
  } catch {
    return [];
  }
  return ["net/tcp", "net/tcp6"].flatMap((file) =>
    read(pid, file)
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , , state, , , , , , inode]) => state === "0A" && own.has(inode ?? ""))
      .map(([, address]) => addressOf(address ?? "")),
  );
}

/** `0100007F:1F90` is `127.0.0.1:8080`: words of four bytes, each in the machine's order. */
export function addressOf(text: string): string {
  const [hex = "", port = ""] = text.split(":");
  const bytes = (hex.match(/.{8}/g) ?? []).flatMap((word) => [...Buffer.from(word, "hex")].reverse());
  const address =
    bytes.length === 4
      ? bytes.join(".")
      : (Buffer.from(bytes).toString("hex").match(/.{4}/g) ?? []).join(":");
  return `${address}:${Number.parseInt(port, 16)}`;
}

const six = (text: string) => text.replace(/:\d+$/, "");

/** Whether only this machine reaches an address with port. */
export function isLoopback(address: string): boolean {
  const host = six(address);
  return (
    host.startsWith("127.") ||
    host === "0000:0000:0000:0000:0000:0000:0000:0001" ||
    host.startsWith("0000:0000:0000:0000:0000:ffff:7f")
  );
}
