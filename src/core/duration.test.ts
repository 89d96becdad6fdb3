import { expect, test } from "vitest";
import { formatDuration } from "./duration.ts";

test.each([
  [-5, "0.0 s"],
  [0, "0.0 s"],
  [420, "0.4 s"],
  [9_949, "9.9 s"],
  [9_950, "10 s"],
  [12_300, "12 s"],
  [59_499, "59 s"],
  [59_500, "1 min"],
  [60_000, "1 min"],
  [185_000, "3 min 5 s"],
  [3_599_500, "1 h"],
  [3_600_000, "1 h"],
  [3_720_000, "1 h 2 min"],
  [31_624_000, "8 h 47 min"],
  [90_000_000, "25 h"],
])("%d ms is %s", (ms, text) => expect(formatDuration(ms)).toBe(text));
