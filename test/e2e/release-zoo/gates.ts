import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { GateConfig } from "../../../src/config/rollout/rollout-types.ts";
import { zooFolder } from "../../images/zoo-image.ts";
import { chatOf, chatPath, type Digit, inferPath, plainPath, tensorOf } from "./requests.ts";

/** The gates of the zoo, by name: a release has those that its kind names. */
export const gateNames = [
  "ready",
  "known",
  "rare",
  "form",
  "same",
  "close",
  "accuracy",
  "words",
  "spread",
  "speed",
  "clients",
] as const;
export type GateName = (typeof gateNames)[number];

/** Those that judge by statistics: they share the release's alpha. */
export const statistical: ReadonlySet<GateName> = new Set([
  "same",
  "close",
  "accuracy",
  "words",
  "spread",
  "speed",
  "clients",
]);

/** Requests a second of our own to live, where clients send ten times as many. */
const pace = 100;
const once = { every: 1, phases: ["verify"] } as const;

/** Of the gate `spread`: each of its looks is one block, of which none may decide alone. */
export const spreadPace = 5;

/** A gate as a user writes it. `inputs`: most inputs of those that ask both slots. */
export function gateOf(name: GateName, inputs: number | undefined): GateConfig {
  const labels = { cases: "digits.jsonl", path: inferPath, answer: "label", compare: "label", pace } as const;
  const most = inputs === undefined ? {} : { inputs };
  switch (name) {
    case "ready":
      return { name, ...once, smoke: { path: "/v2/models/digits" } };
    case "known":
      return {
        name,
        ...once,
        golden: { cases: "known.jsonl", path: inferPath, answer: "label", compare: "label" },
      };
    case "rare":
      return { name, ...once, golden: { cases: "rare.jsonl", path: inferPath, compare: "structure" } };
    case "form":
      return { name, ...once, golden: { cases: "form.jsonl", path: plainPath, compare: "structure" } };
    case "same":
      return { name, parity: { ...labels, ...most } };
    case "close":
      return { name, parity: { ...labels, answer: "scores", compare: { absolute: 0.001 }, ...most } };
    case "accuracy":
      return { name, labels: { ...labels, ...most } };
    case "words":
      return { name, parity: { cases: "words.jsonl", path: chatPath, compare: "text", pace, ...most } };
    case "spread":
      return {
        name,
        drift: {
          cases: "digits.jsonl",
          path: inferPath,
          answer: "label",
          pace: spreadPace,
          fail: true,
          ...most,
        },
      };
    case "speed":
      return { name, performance: { cases: "speed.jsonl", path: inferPath, rate: speedRate } };
    case "clients":
      return { name, every: 2, phases: ["shift"], traffic: { latency: false } };
  }
}

/** Requests a second of the gate `speed` to each slot, at most. */
export const speedRate = 20;
/** Of its requests so many have sixteen rows. */
export const manyShare = 0.1;

export async function readDigits(): Promise<readonly Digit[]> {
  const text = await readFile(join(zooFolder, "digits.jsonl"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Digit);
}

const blank = (value: number) => Array.from({ length: 64 }, () => value);

/** Files of cases, as the gates name them. Of the digits that are known all versions that are good are sure. */
export async function writeCases(
  folder: string,
  digits: readonly Digit[],
  isSure: (digit: Digit) => boolean,
): Promise<void> {
  const text = await readFile(join(zooFolder, "text.txt"), "utf8");
  const words = text.split(/\s+/).filter((word) => word !== "");
  const rows = digits.map(({ input }) => input);
  const pixels = digits[0]?.input ?? [];
  const structure = { label: "zero", scores: [0.5] };
  const speed = Array.from({ length: 200 }, (_, index) =>
    index % Math.round(1 / manyShare) === 0 ? rows.slice(index, index + 16) : [rows[index] ?? []],
  );
  const files: Readonly<Record<string, readonly object[]>> = {
    "digits.jsonl": digits,
    "known.jsonl": digits
      .filter(isSure)
      .slice(0, 30)
      .map(({ input, label }) => ({ input, expected: label })),
    "rare.jsonl": [pixels, blank(0), blank(16), pixels.toReversed()].map((input) => ({
      input,
      expected: structure,
    })),
    "form.jsonl": [{ input: { pixels }, expected: { digit: "zero", chance: 0.5 } }],
    "words.jsonl": Array.from({ length: 240 }, (_, index) => ({
      input: chatOf(words.slice(5 * index, 5 * index + 2).join(" "), index % 2 === 0 ? 4 : 30),
    })),
    "speed.jsonl": speed.map((many) => ({ input: { inputs: [tensorOf(many)] } })),
  };
  for (const [name, lines] of Object.entries(files)) {
    await writeFile(join(folder, name), lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  }
}
