import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { zooFolder } from "../../images/zoo-image.ts";

const names = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"];

interface Layer {
  readonly weights: readonly (readonly number[])[];
  readonly bias: readonly number[];
}

/** Answers of the zoo's server, computed here: so that what a test expects of a model is what that model does. */
export interface Network {
  readonly scores: (pixels: readonly number[]) => readonly number[];
  readonly label: (pixels: readonly number[]) => string;
}

/** How the server is told to compute, by the environment of a release. */
export async function networkOf(env: Readonly<Record<string, string>>): Promise<Network> {
  const text = await readFile(join(zooFolder, "models", `${env.MODEL ?? "small"}.json`), "utf8");
  const { layers } = JSON.parse(text) as { layers: readonly Layer[] };
  const used = env.PRECISION === "int8" ? layers.map(quantised) : layers;
  const skipped = Number(env.SKIPPED_COLUMNS ?? 0);
  const labels = env.LABEL_MAP === "by-name" ? names.toSorted() : names;
  const scores = (pixels: readonly number[]) => {
    const moved = pixels.map((_, index) => pixels.at(index - skipped) ?? 0);
    return softmax(used.reduce(through, contrasted(moved)));
  };
  return {
    scores,
    label: (pixels) => {
      const found = scores(pixels);
      return labels[found.indexOf(Math.max(...found))] ?? "";
    },
  };
}

function quantised({ weights, bias }: Layer): Layer {
  const scale = Math.max(...weights.flat().map(Math.abs)) / 127;
  return { bias, weights: weights.map((row) => row.map((weight) => Math.round(weight / scale) * scale)) };
}

function contrasted(pixels: readonly number[]): readonly number[] {
  const low = Math.min(...pixels);
  const span = Math.max(Math.max(...pixels) - low, 1e-9);
  return pixels.map((pixel) => (pixel - low) / span);
}

function through(
  values: readonly number[],
  { weights, bias }: Layer,
  index: number,
  layers: readonly Layer[],
): readonly number[] {
  const isLast = index === layers.length - 1;
  return weights.map((row, output) => {
    const sum = row.reduce(
      (total, weight, input) => total + weight * (values[input] ?? 0),
      bias[output] ?? 0,
    );
    return isLast ? sum : Math.max(0, sum);
  });
}

function softmax(values: readonly number[]): readonly number[] {
  const highest = Math.max(...values);
  const powers = values.map((value) => Math.exp(value - highest));
  const sum = powers.reduce((total, power) => total + power, 0);
  return powers.map((power) => power / sum);
}
