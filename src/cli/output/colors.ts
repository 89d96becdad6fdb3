import type { Output } from "./renderer.ts";

type Paint = (text: string) => string;

export interface Colors {
  readonly bold: Paint;
  readonly dim: Paint;
  readonly red: Paint;
  readonly green: Paint;
  readonly yellow: Paint;
  readonly blue: Paint;
}

const codes = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
} as const;

/** Colours for terminals; none for files and pipes, with NO_COLOR (https://no-color.org) or on a dumb terminal. */
export function colorsFor(stream: Output, env: Readonly<Record<string, string | undefined>>): Colors {
  const wanted = (env.FORCE_COLOR ?? "") !== "" && env.FORCE_COLOR !== "0";
  const refused = (env.NO_COLOR ?? "") !== "" || env.TERM === "dumb" || env.FORCE_COLOR === "0";
  const enabled = !refused && (wanted || stream.isTTY === true);
  const paint = ([on, off]: readonly [number, number]): Paint =>
    enabled ? (text) => `\u001b[${on}m${text}\u001b[${off}m` : (text) => text;
  return {
    bold: paint(codes.bold),
    dim: paint(codes.dim),
    red: paint(codes.red),
    green: paint(codes.green),
    yellow: paint(codes.yellow),
    blue: paint(codes.blue),
  };
}
