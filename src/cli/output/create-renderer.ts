import type { Output, Renderer, RendererOptions } from "./renderer.ts";

/** NDJSON, a live view or plain lines, by what was asked for and what the streams are. */
export async function createRenderer(options: RendererOptions): Promise<Renderer> {
  if (options.json) {
    const { ndjsonRenderer } = await import("./ndjson.ts");
    return ndjsonRenderer(options);
  }
  if (isLive(options.stderr, options.env)) {
    const { terminalRenderer } = await import("./terminal.ts");
    return terminalRenderer(options);
  }
  const { plainRenderer } = await import("./plain.ts");
  return plainRenderer(options);
}

/** Whether a stream is a terminal that can redraw lines; one without a width (some containers' pseudo-terminals) cannot. */
export function isLive(stream: Output, env: RendererOptions["env"]): boolean {
  return stream.isTTY === true && stream.columns !== 0 && (env.CI ?? "") === "" && env.TERM !== "dumb";
}
