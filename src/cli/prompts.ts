import { exitCodes, interrupted, UserError } from "../core/errors.ts";
import type { CommandContext } from "./command.ts";
import type { Output, Renderer } from "./output/renderer.ts";

/** What asking needs of the terminal's input. */
export type PromptInput = NodeJS.ReadableStream & {
  readonly isTTY?: boolean | undefined;
  setRawMode?(raw: boolean): unknown;
};

export interface PromptOptions {
  readonly stdin: PromptInput;
  readonly stderr: Output & NodeJS.WritableStream;
  readonly yes: boolean;
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly renderer: Renderer;
  /** What a stop while waiting for an answer means. */
  readonly onInterrupt: () => void;
}

/** Questions to the user. Answers come from the terminal only, never from a pipe that happens to be there. */
export function prompts(options: PromptOptions): Pick<CommandContext, "confirm" | "ask" | "askSecret"> {
  const hasTerminal = options.stdin.isTTY === true && options.stderr.isTTY === true && !options.json;

  const suspended = async <T>(work: () => Promise<T>): Promise<T> => {
    options.renderer.suspend();
    try {
      return await work();
    } finally {
      options.renderer.resume();
    }
  };

  return {
    confirm: async (question) => {
      if (options.yes) return true;
      if (!hasTerminal) throw confirmationNeeded(question);
      return suspended(async () => /^y(es)?$/i.test((await readLine(options, `${question} [y/N] `)).trim()));
    },
    ask: async (question, suggestion) => {
      if (options.yes || !hasTerminal) return suggestion;
      const shown = suggestion === "" ? `${question}: ` : `${question} [${suggestion}]: `;
      return suspended(async () => (await readLine(options, shown)).trim() || suggestion);
    },
    askSecret: async (question, ifNoTerminal) => {
      if (!hasTerminal) throw ifNoTerminal();
      return suspended(() => readSecret(options, `${question}: `));
    },
  };
}

function confirmationNeeded(question: string): UserError {
  return new UserError({
    code: "confirmation-needed",
    message: `This needs an answer, and there is no terminal to ask on: ${question}`,
    hint: "Pass --yes to answer yes to every question.",
    exitCode: exitCodes.usage,
  });
}

async function readLine(options: PromptOptions, question: string): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const lines = createInterface({ input: options.stdin, output: options.stderr, terminal: true });
  // readline takes Ctrl-C for itself while it reads.
  lines.on("SIGINT", options.onInterrupt);
  const closed = new Promise<never>((_, reject) =>
    lines.once("close", () => reject(interrupted("The question"))),
  );
  try {
    return await Promise.race([lines.question(question, { signal: options.signal }), closed]);
  } catch (error) {
    options.stderr.write("\n");
    if (options.signal.aborted) throw interrupted("The question");
    throw error;
  } finally {
    closed.catch(() => {});
    lines.close();
  }
}

/** Reads a line without echo. */
function readSecret(options: PromptOptions, question: string): Promise<string> {
  const { stdin, stderr, signal } = options;
  return new Promise((resolve, reject) => {
    let answer = "";
    const finish = (settle: () => void) => {
      stdin.off("data", onData);
      signal.removeEventListener("abort", onAbort);
      stdin.setRawMode?.(false);
      stdin.pause();
      stderr.write("\n");
      settle();
    };
    const onAbort = () => finish(() => reject(interrupted("The question")));
    const onData = (chunk: Buffer | string) => {
      for (const character of chunk.toString()) {
        if (character === "\r" || character === "\n") return finish(() => resolve(answer));
        if (character === "\u0004") return finish(() => reject(interrupted("The question")));
        if (character === "\u0003") return options.onInterrupt();
        if (character === "\u007f" || character === "\b") answer = [...answer].slice(0, -1).join("");
        else if (character === "\u0015") answer = "";
        else if (character >= " ") answer += character;
      }
    };
    // Before the question: whoever types at once must not see the answer either.
    stdin.setRawMode?.(true);
    stdin.on("data", onData);
    stdin.resume();
    stderr.write(question);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
