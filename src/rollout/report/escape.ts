import { printable } from "../../core/printable.ts";

/** Characters that turn the direction of what stands around them: hostile text hides behind them. */
const turning = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text from models, pods and people as it may stand anywhere: without what moves cursors or turns lines around. Pure. */
export function tame(text: string): string {
  return printable(text).replace(turning, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Text within HTML or SVG, also in attributes between double quotes. Pure. */
export function html(text: string): string {
  return tame(text).replace(/[&<>"'`]/g, (one) => `&#${one.charCodeAt(0)};`);
}

/** Text within a line of Markdown: nothing in it becomes HTML, a link or a picture. Pure. */
export function markdown(text: string): string {
  return tame(text)
    .replace(/\s*\n\s*/g, "; ")
    .replace(/<(?=[A-Za-z/!?])/g, "&lt;")
    .replaceAll("![", "!\\[")
    .replaceAll("](", "]\\(");
}

/** Text within a cell of a Markdown table. Pure. */
export function cell(text: string): string {
  return pipes(markdown(text));
}

/** Bars that are no borders of a table. */
export function pipes(text: string): string {
  return text.replace(/(\\*)\|/g, (_, slashes: string) => `${slashes}${slashes}\\|`);
}

/** Text as it is, between more backticks than it has. For cells, `pipes` comes on top. Pure. */
export function code(text: string): string {
  const flat = tame(text).replace(/\s+/g, " ").trim();
  if (flat === "") return "";
  const longest = Math.max(0, ...[...flat.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const gap = flat.startsWith("`") || flat.endsWith("`") ? " " : "";
  return `${fence}${gap}${flat}${gap}${fence}`;
}
