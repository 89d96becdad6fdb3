import { createLogUpdate } from "log-update";
import { formatDuration } from "../../core/duration.ts";
import { type Colors, colorsFor } from "./colors.ts";
import { formatStepNotes } from "./format.ts";
import type { Renderer, RendererOptions } from "./renderer.ts";
import { StepTree } from "./steps.ts";

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
const redrawEveryMs = 100;

/** Steps as a live tree: what runs, for how long, how far it is and what is left. Finished ones stay above. */
export function terminalRenderer(options: RendererOptions): Renderer {
  const colors = colorsFor(options.stderr, options.env);
  const tree = new StepTree();
  const log = createLogUpdate(options.stderr as NodeJS.WritableStream);
  let suspended = false;
  let shown = false;

  const draw = () => {
    if (suspended) return;
    const now = options.clock.now();
    for (const root of [...tree.roots]) {
      if (!tree.isSettled(root)) continue;
      log.persist(treeLines(tree, root, now, colors, width()).join("\n"));
      tree.drop(root);
    }
    const lines = tree.roots.flatMap((root) => treeLines(tree, root, now, colors, width()));
    const room = Math.max(3, (options.stderr.rows ?? 24) - 2);
    if (lines.length > 0) {
      log(lines.slice(-room).join("\n"));
      shown = true;
    } else if (shown) {
      log.clear();
      shown = false;
    }
  };
  const width = () => Math.max(20, (options.stderr.columns ?? 80) - 1);
  const timer = setInterval(draw, redrawEveryMs);
  timer.unref();

  return {
    event: (event) => {
      if (event.type === "phase") {
        log.persist(colors.bold(event.message));
        draw();
      } else if (event.type === "info" || event.type === "warning" || event.type === "verdict") {
        const hint = event.type === "warning" && event.hint !== undefined ? ` ${colors.dim(event.hint)}` : "";
        const mark = event.type === "warning" ? `${colors.yellow("⚠")} ` : "";
        log.persist(`${mark}${event.message}${hint}`);
        draw();
      } else {
        tree.apply(event, options.clock.now());
        // Redrawn by the timer; ends are drawn at once so that nothing is lost when the command ends.
        if (event.type === "step" && event.state !== "progress") draw();
      }
    },
    suspend: () => {
      draw();
      suspended = true;
      log.clear();
      log.done();
    },
    resume: () => {
      suspended = false;
      draw();
    },
    stop: () => {
      clearInterval(timer);
      if (!suspended) draw();
      suspended = true;
      log.done();
    },
  };
}

/** Lines of one step and all below it. */
export function treeLines(tree: StepTree, id: string, now: number, colors: Colors, width: number): string[] {
  const node = tree.get(id);
  if (node === undefined) return [];
  const { event, startedAt, endedAt } = node;
  const notes = formatStepNotes(event);
  const elapsed = (endedAt ?? now) - startedAt;
  const time = elapsed >= 100 && event.state !== "skipped" ? formatDuration(elapsed) : "";
  const text = [event.title, notes === "" ? "" : `· ${notes}`, time === "" ? "" : `· ${time}`]
    .filter((part) => part !== "")
    .join(" ");
  const indent = "  ".repeat(tree.depth(id));
  const cut = [...text];
  const room = width - indent.length - 2;
  const fitted = endedAt === undefined && cut.length > room ? `${cut.slice(0, room - 1).join("")}…` : text;
  const title = fitted.startsWith(event.title)
    ? `${event.title}${colors.dim(fitted.slice(event.title.length))}`
    : fitted;
  const own = `${indent}${mark(event.state, now, colors)} ${title}`;
  return [own, ...node.children.flatMap((child) => treeLines(tree, child, now, colors, width))];
}

function mark(state: string, now: number, colors: Colors): string {
  switch (state) {
    case "done":
      return colors.green("✔");
    case "failed":
      return colors.red("✖");
    case "interrupted":
      return colors.yellow("■");
    case "skipped":
      return colors.dim("○");
    default:
      return colors.blue(frames[Math.floor(now / redrawEveryMs) % frames.length] ?? "·");
  }
}
