import { styleText } from "node:util";
import type { Output } from "./renderer.ts";

type Paint = (text: string) => string;

const styles = ["bold", "dim", "red", "green", "yellow", "blue"] as const;

export type Colors = Readonly<Record<(typeof styles)[number], Paint>>;

/** Colours for terminals; none for files and pipes, with NO_COLOR (https://no-color.org) or on a dumb terminal. */
export function colorsFor(stream: Output, env: Readonly<Record<string, string | undefined>>): Colors {
  const wanted = (env.FORCE_COLOR ?? "") !== "" && env.FORCE_COLOR !== "0";
  const refused = (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb" || env.FORCE_COLOR === "0";
  const enabled = !refused && (wanted || stream.isTTY === true);
  // Whether this process's own output takes colours is not asked: what counts is the stream and the environment given here.
  const paint = (style: (typeof styles)[number]): Paint =>
    enabled ? (text) => styleText(style, text, { validateStream: false }) : (text) => text;
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
    blue: paint("blue"),
  };
}
