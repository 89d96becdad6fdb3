import { formatDuration } from "../../core/duration.ts";
import type { StepEvent } from "../../core/events.ts";
import { colorsFor } from "./colors.ts";
import { formatStepNotes } from "./format.ts";
import type { Renderer, RendererOptions } from "./renderer.ts";
import { isOver, StepTree } from "./steps.ts";

/** A step's progress is repeated at most this often: logs are read afterwards. */
const progressEveryMs = 10_000;

const ends: Readonly<Record<"done" | "failed" | "interrupted" | "skipped", string>> = {
  done: "done",
  failed: "FAILED",
  interrupted: "interrupted",
  skipped: "skipped",
};

/** One line per event, for logs and pipes. */
export function plainRenderer(options: RendererOptions): Renderer {
  const colors = colorsFor(options.stderr, options.env);
  const tree = new StepTree();
  const lastProgress = new Map<string, { readonly at: number; readonly notes: string }>();
  const line = (text: string) => options.stderr.write(`${text}\n`);

  const showStep = (step: StepEvent) => {
    const now = options.clock.now();
    const node = tree.get(step.id);
    const indent = "  ".repeat(tree.depth(step.id));
    const notes = formatStepNotes(node?.event ?? step);
    const suffix = notes === "" ? "" : `: ${notes}`;
    if (isOver(step)) {
      const word = ends[step.state as keyof typeof ends];
      const took = formatDuration(now - (node?.startedAt ?? now));
      const end =
        step.state === "failed" ? colors.red(word) : step.state === "done" ? colors.green(word) : word;
      line(`${indent}${step.title}: ${end} in ${took}${notes === "" ? "" : ` (${notes})`}`);
      lastProgress.delete(step.id);
      return;
    }
    const last = lastProgress.get(step.id);
    if (step.state === "progress" && last !== undefined) {
      if (now - last.at < progressEveryMs || last.notes === notes) return;
    }
    lastProgress.set(step.id, { at: now, notes });
    if (step.state === "started" || notes !== "") {
      line(`${indent}${step.title}${step.state === "started" && suffix === "" ? " ..." : suffix}`);
    }
  };

  return {
    event: (event) => {
      if (event.type === "info" || event.type === "phase" || event.type === "verdict") line(event.message);
      else if (event.type === "warning") {
        line(
          `${colors.yellow("warning")}: ${event.message}${event.hint === undefined ? "" : ` ${event.hint}`}`,
        );
      } else {
        const step = tree.apply(event, options.clock.now());
        if (step !== undefined) showStep(step);
      }
    },
    suspend: () => {},
    resume: () => {},
    stop: () => {},
  };
}
