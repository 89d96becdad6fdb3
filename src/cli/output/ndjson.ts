import type { EventLine } from "./event-schema.ts";
import type { Renderer, RendererOptions } from "./renderer.ts";

/** One JSON document per line for long commands; queries print nothing but their one document. */
export function ndjsonRenderer(options: RendererOptions): Renderer {
  return {
    event: (event) => {
      if (options.output === "query") return;
      const time = new Date(options.clock.now()).toISOString();
      // Typed by the published schema: an event that it does not describe does not compile.
      const line: EventLine = { time, schemaVersion: 1, ...event };
      options.stdout.write(`${JSON.stringify(line)}\n`);
    },
    suspend: () => {},
    resume: () => {},
    stop: () => {},
  };
}
