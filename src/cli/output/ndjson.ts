import type { Renderer, RendererOptions } from "./renderer.ts";

/** One JSON document per line for long commands; queries print nothing but their one document. */
export function ndjsonRenderer(options: RendererOptions): Renderer {
  return {
    event: (event) => {
      if (options.output === "query") return;
      const time = new Date(options.clock.now()).toISOString();
      options.stdout.write(`${JSON.stringify({ time, ...event })}\n`);
    },
    suspend: () => {},
    resume: () => {},
    stop: () => {},
  };
}
